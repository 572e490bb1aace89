import type { Box, Point } from './layout.ts';

/** The `d` of a path through the points, its corners rounded. */
export function path(points: Point[]): string {
  const toward = (a: Point, b: Point, distance: number): Point => {
    const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
    const part = Math.min(distance, length / 2) / length;
    return { x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part };
  };
  const at = ({ x, y }: Point): string => `${round(x)} ${round(y)}`;
  return points
    .map((point, nth) => {
      const [previous, next] = [points[nth - 1], points[nth + 1]];
      if (previous === undefined) return `M${at(point)}`;
      if (next === undefined) return `L${at(point)}`;
      return `L${at(toward(point, previous, 8))}Q${at(point)} ${at(toward(point, next, 8))}`;
    })
    .join('');
}

/** The line without the stretch behind its labels; self loops carry their labels beside them and stay whole. */
export function cut(points: Point[], gap: Box | undefined): Point[][] {
  if (gap === undefined) return [points];
  const x = (value: number): number => Math.min(Math.max(value, gap.x), gap.x + gap.width);
  const y = (value: number): number => Math.min(Math.max(value, gap.y), gap.y + gap.height);
  for (const [nth, a] of points.entries()) {
    const b = points[nth + 1];
    if (b === undefined) break;
    const [into, out] = [
      { x: x(a.x), y: y(a.y) },
      { x: x(b.x), y: y(b.y) },
    ];
    // Both ends clamped onto the segment's own axis: the segment runs through the labels.
    const through = a.y === b.y ? into.y === a.y && into.x !== out.x : into.x === a.x && into.y !== out.y;
    if (through)
      return [
        [...points.slice(0, nth + 1), into],
        [out, ...points.slice(nth + 1)],
      ];
  }
  return [points];
}

/** The box around several; undefined around none. */
export function around(boxes: Box[]): Box | undefined {
  if (boxes.length === 0) return undefined;
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}

/** A coordinate to a tenth of a pixel, so that pictures are small and their bytes stable. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
