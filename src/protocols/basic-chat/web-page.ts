import { readFileSync } from 'node:fs';

/** The page's script lies bundled in `dist`, also when the sources themselves are run. */
const SCRIPT = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/protocols/basic-chat/page/page.js' : 'page/page.js',
  import.meta.url,
);

/** The room in a browser. */
export function webPage() {
  return { document: DOCUMENT, script: readFileSync(SCRIPT, 'utf8') };
}

const STYLE = `
:root{color-scheme:light dark;--page:#f4f6f9;--card:#fff;--edge:#76828f;--ink:#16202c;--muted:#566273;--own:#0a58ca;--active:#7a3ff2}
@media (prefers-color-scheme:dark){:root{--page:#090d13;--card:#0f151d;--edge:#76828f;--ink:#eaf0f7;--muted:#a2afbf;--own:#82b7ff;--active:#b99aff}}
*{box-sizing:border-box}
[hidden]{display:none!important}
html,body{height:100%}
body{margin:0 auto;padding:14px 16px;max-width:760px;display:flex;flex-direction:column;gap:10px;background:var(--page);color:var(--ink);
  font:16px/1.45 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{margin:0;font-size:20px}
main{flex:1;min-height:0;display:flex;flex-direction:column;gap:10px}
#room{flex:1;min-height:0;display:flex;flex-direction:column;gap:10px}
#lines{flex:1;min-height:0;overflow-y:auto;padding:10px 12px;background:var(--card);border-radius:12px}
#lines p{margin:0;padding:2px 0;white-space:pre-wrap;overflow-wrap:anywhere}
#lines .server{color:var(--muted)}
#lines .own b{color:var(--own)}
form{display:flex;flex-wrap:wrap;gap:8px;align-items:center}
label{color:var(--muted)}
input{flex:1;min-width:0;width:12ch}
input,button{font:inherit;color:inherit;background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:6px 10px;min-height:40px}
button{cursor:pointer}
:focus-visible{outline:2px solid var(--active);outline-offset:2px}
#status{margin:0;min-height:1.45em;color:var(--muted);overflow-wrap:anywhere}
`;

const DOCUMENT = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>basic-chat</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
<script type="module" src="/page.js"></script>
</head>
<body>
<header><h1>basic-chat</h1></header>
<main>
  <section id="room" aria-label="Room" hidden>
    <div id="lines" role="log" tabindex="0" aria-label="What was said"></div>
    <form id="saying">
      <label for="message">Message</label>
      <input id="message" autocomplete="off" enterkeyhint="send">
      <button>Send</button>
      <button type="button" id="leave">Leave</button>
    </form>
  </section>
  <form id="joining">
    <label for="username">Name</label>
    <input id="username" autocomplete="off" autocapitalize="off" spellcheck="false" required pattern="[!-~]+"
      title="printable ASCII without spaces">
    <button>Join</button>
  </form>
  <p id="status" role="status"></p>
</main>
</body>
</html>
`;
