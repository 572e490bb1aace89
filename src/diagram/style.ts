/** The colours of one theme, each the value of the custom property `--wc-NAME`. */
type Palette = Record<
  | 'paper' | 'edge' | 'ink' | 'muted' | 'line' | 'state' | 'border' | 'region'
  | 'client' | 'client-tint' | 'server' | 'server-tint' | 'transport' | 'transport-tint'
  | 'good' | 'good-tint' | 'bad' | 'bad-tint' | 'active',
  string
>; // biome-ignore format: names in groups

const light: Palette = {
  paper: '#ffffff',
  edge: '#e3e8ef',
  ink: '#16202c',
  muted: '#566273',
  line: '#7d8999',
  state: '#f8fafc',
  border: '#c2cbd7',
  region: '#a9b4c3',
  client: '#0a58ca',
  'client-tint': '#e7f0ff',
  server: '#964b00',
  'server-tint': '#fff0dd',
  transport: '#515d6c',
  'transport-tint': '#eef1f5',
  good: '#137333',
  'good-tint': '#e2f6e7',
  bad: '#c5162e',
  'bad-tint': '#ffe8eb',
  active: '#7a3ff2',
};

const dark: Palette = {
  paper: '#0f151d',
  edge: '#263140',
  ink: '#eaf0f7',
  muted: '#a2afbf',
  line: '#7b899b',
  state: '#18212c',
  border: '#3a4757',
  region: '#55647a',
  client: '#82b7ff',
  'client-tint': '#14294a',
  server: '#ffb86b',
  'server-tint': '#3a2712',
  transport: '#b0bbc9',
  'transport-tint': '#242e3a',
  good: '#6fdc8c',
  'good-tint': '#12331d',
  bad: '#ff8592',
  'bad-tint': '#451620',
  active: '#b99aff',
};

/** `auto` follows the reader's `prefers-color-scheme`. */
export type Theme = 'auto' | 'light' | 'dark';

const SANS = 'ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif';
const MONO =
  'ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace';

/**
 * The style sheet inside a picture. Every rule hangs on `.wirechart`, so that a page may hold several pictures, and no
 * rule needs an id. Each colour is written twice, for viewers that know no custom properties.
 */
export function styleOf(theme: Theme): string {
  const plain = theme === 'dark' ? dark : light;
  const paint = (property: 'fill' | 'stroke', name: keyof Palette): string =>
    `${property}:${plain[name]};${property}:var(--wc-${name})`;
  const rule = (selectors: string, ...declarations: string[]): string => {
    const scoped = selectors.split(',').map((selector) => `.wirechart ${selector}`);
    return `${scoped.join(',')}{${declarations.join(';')}}`;
  };
  return [
    `.wirechart{${variables(light)};color-scheme:light dark;font-family:${SANS}}`,
    `@media (prefers-color-scheme:dark){.wirechart:not([data-theme=light]){${variables(dark)}}}`,
    `.wirechart[data-theme=dark]{${variables(dark)}}`,
    rule('.paper', paint('fill', 'paper'), paint('stroke', 'edge')),
    rule('text', paint('fill', 'ink'), 'font-family:inherit'),
    rule('.machine', 'font-weight:650;letter-spacing:.01em'),
    rule('.legend text,.description,.any text', paint('fill', 'muted')),
    rule('.name', 'font-weight:700'),
    rule(
      '.titles text',
      paint('stroke', 'state'),
      'stroke-width:6',
      'stroke-linejoin:round',
      'paint-order:stroke',
    ),
    rule('.event,.flow,.count', `font-family:${MONO}`, 'font-variant-ligatures:none'),
    rule('.box', paint('fill', 'state'), paint('stroke', 'border'), 'stroke-width:1.5'),
    rule('.ring', 'fill:none', paint('stroke', 'border'), 'stroke-width:1.5'),
    rule('.region .box', 'stroke-dasharray:5 4', paint('stroke', 'region'), 'fill:none'),
    rule('.line', 'fill:none', paint('stroke', 'line'), 'stroke-width:1.6', 'stroke-linejoin:round'),
    rule('.head,.initial circle', paint('fill', 'line')),
    rule('.onward .line', 'stroke-width:2.2', paint('stroke', 'ink')),
    rule('.onward .head', paint('fill', 'ink')),
    rule('.any rect', 'fill:none', paint('stroke', 'region'), 'stroke-dasharray:2 3', 'stroke-width:1.5'),
    ...(['client', 'server', 'transport'] as const).flatMap((party) => [
      rule(`.${party} .glyph`, paint('fill', party), paint('stroke', party)),
      rule(`.${party} .event,.${party} .owes`, paint('fill', party)),
      rule(`.pill.${party}`, paint('fill', `${party}-tint`)),
    ]),
    rule('.transport .glyph', 'fill:none', 'stroke-width:1.6'),
    rule('.owes', 'font-weight:600'),
    rule('.owes-client .box', paint('stroke', 'client')),
    rule('.owes-server .box', paint('stroke', 'server')),
    rule('.count', 'text-anchor:end', 'font-size:13px', 'font-weight:700', paint('fill', 'active')),
    rule('.flow', 'text-anchor:end', 'font-size:11px', paint('fill', 'muted')),
    // States and edges that a report or a live page has marked.
    ...(['bad', 'good', 'active'] as const).flatMap((colour) => {
      const mark = { bad: 'failed', good: 'passed', active: 'active' }[colour];
      return [
        rule(`.state.${mark} .box`, paint('stroke', colour), 'stroke-width:2.5'),
        rule(`.arrow.${mark} .line`, paint('stroke', colour), 'stroke-width:2.5'),
        rule(`.arrow:has(.edge.${mark}) .line`, paint('stroke', colour), 'stroke-width:2.5'),
        rule(`.arrow.${mark} .head`, paint('fill', colour)),
        rule(`.arrow:has(.edge.${mark}) .head`, paint('fill', colour)),
        rule(`.edge.${mark} .event`, paint('fill', colour), 'font-weight:700'),
        rule(`.edge.${mark} .glyph`, paint('stroke', colour)),
      ];
    }),
    rule('.edge.failed .event', 'text-decoration:underline'),
    rule('.dim', 'opacity:.35'),
    '@keyframes wc-flash{from{stroke:var(--wc-active);stroke-width:4}}',
    '@keyframes wc-refused{from{stroke:var(--wc-bad);stroke-width:5}}',
    rule('.state.flash .box,.arrow:has(.edge.flash) .line', 'animation:wc-flash .8s ease-out'),
    rule('.state.refused .box,.arrow:has(.edge.refused) .line', 'animation:wc-refused 1.2s ease-out'),
    '@media (prefers-reduced-motion:reduce){.wirechart *{animation-duration:.01s!important}}',
  ].join('\n');
}

function variables(palette: Palette): string {
  return Object.entries(palette)
    .map(([name, colour]) => `--wc-${name}:${colour}`)
    .join(';');
}
