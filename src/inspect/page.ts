import { svgOf } from '../diagram/svg.ts';
import type { AnyProtocol } from '../transport/protocol.ts';
import { STYLE } from './style.ts';

/** Where Stately's viewer lives: named in the page that was made for it, and nowhere else. */
export const STATELY = 'https://stately.ai';

/** The live page of a protocol, complete but for what moves. */
export async function documentOf({ name, machine }: AnyProtocol): Promise<string> {
  const wide = await svgOf(machine, { detail: 'overview', direction: 'right', live: true });
  const narrow = await svgOf(machine, { detail: 'overview', direction: 'down', live: true });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${name} · wirechart</title>
<link rel="icon" href="${ICON}">
<style>${STYLE}</style>
<script type="module" src="/page/live.js"></script>
</head>
<body>
<header>
  <h1>${name}</h1>
  <p id="link" role="status" class="waiting">connecting</p>
  <dl id="figures">
    <div><dt>connections</dt><dd id="connections">–</dd></div>
    <div><dt>messages a second</dt><dd id="rate">–</dd></div>
    <div><dt>messages</dt><dd id="messages">–</dd></div>
    <div class="refusals"><dt>refused</dt><dd id="refused">–</dd></div>
  </dl>
</header>
<main>
  <section id="chart" aria-label="Statechart with the connections in each state">
    <div class="picture wide">${wide}</div>
    <div class="picture narrow" tabindex="0" role="group" aria-label="Statechart">${narrow}</div>
  </section>
  <div class="columns">
    <section aria-labelledby="connections-title">
      <div class="bar">
        <h2 id="connections-title">Connections</h2>
        <p id="matching" role="status"></p>
        <button type="button" id="everywhere" hidden></button>
        <label>Find <input id="find" type="search" placeholder="peer or #" autocomplete="off" spellcheck="false"></label>
        <label>Order <select id="order">
          <option value="newest">newest first</option>
          <option value="oldest">oldest first</option>
          <option value="busiest">busiest first</option>
          <option value="refused">most refused first</option>
        </select></label>
      </div>
      <div class="rows"><table>
        <thead><tr><th scope="col">#</th><th scope="col">state</th><th scope="col">peer</th><th scope="col" class="number">age</th>
        <th scope="col" class="number">messages</th><th scope="col" class="error">last error</th></tr></thead>
        <tbody id="rows"></tbody>
      </table></div>
      <p id="nobody" class="empty">Nobody is connected.</p>
    </section>
    <div class="side">
      <section id="followed" aria-labelledby="followed-title" hidden>
        <div class="bar">
          <h2 id="followed-title"></h2>
          <p id="followed-state"></p>
          <button type="button" id="pause" aria-pressed="false">Pause</button>
          <button type="button" id="save">Save</button>
          <button type="button" id="unfollow">Close <kbd>Esc</kbd></button>
        </div>
        <ol id="steps" class="lines" tabindex="0" aria-label="Steps, the newest first"></ol>
      </section>
      <section aria-labelledby="refusals-title">
        <div class="bar"><h2 id="refusals-title">Refused</h2></div>
        <ol id="refusals" class="lines" tabindex="0" aria-label="Refusals, the newest first"></ol>
        <p id="none-refused" class="empty">Nobody has broken the protocol.</p>
      </section>
    </div>
  </div>
</main>
<footer>
  <button type="button" id="picture">Save the picture</button>
  <p>Choose a connection to follow it, a state to see who stands there.
  <kbd>↑</kbd> <kbd>↓</kbd> move, <kbd>Enter</kbd> follows, <kbd>Esc</kbd> goes back.</p>
</footer>
</body>
</html>
`;
}

/** The page that hands the inspection messages on to Stately's viewer, which the browser loads from the internet. */
export function statelyDocumentOf({ name }: AnyProtocol): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${name} · Stately inspector</title>
<link rel="icon" href="${ICON}">
<style>html,body,iframe{margin:0;border:0;width:100%;height:100%;display:block}body{overflow:hidden}</style>
<script type="module" src="/page/stately.js"></script>
</head>
<body><iframe title="Stately inspector" src="${STATELY}/inspect"></iframe></body>
</html>
`;
}

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M8 16h16" stroke="#7a3ff2" stroke-width="4"/>' +
    '<circle cx="7" cy="16" r="6" fill="#0a58ca"/><rect x="19" y="10" width="12" height="12" rx="3" fill="#964b00"/></svg>',
)}`;
