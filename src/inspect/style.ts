/** The live page's style sheet; the pictures in it bring their own. */
export const STYLE = `
:root{
  color-scheme:light dark;
  --page:#f4f6f9;--card:#fff;--edge:#e3e8ef;--ink:#16202c;--muted:#566273;--hover:#eef3fb;--chosen:#e7f0ff;
  --client:#0a58ca;--server:#964b00;--transport:#515d6c;--good:#137333;--bad:#c5162e;--active:#7a3ff2;
}
@media (prefers-color-scheme:dark){:root{
  --page:#090d13;--card:#0f151d;--edge:#263140;--ink:#eaf0f7;--muted:#a2afbf;--hover:#18212c;--chosen:#14294a;
  --client:#82b7ff;--server:#ffb86b;--transport:#b0bbc9;--good:#6fdc8c;--bad:#ff8592;--active:#b99aff;
}}
*{box-sizing:border-box}
[hidden]{display:none!important}
body{margin:0 auto;padding:20px 24px;max-width:1480px;background:var(--page);color:var(--ink);
  font:14px/1.45 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1,h2,p,dl,dd,ol{margin:0;padding:0}
h1{font-size:22px;letter-spacing:-.01em}
h2{font-size:15px}
kbd{font:inherit;font-size:12px;padding:0 4px;border:1px solid var(--edge);border-radius:4px;color:var(--muted)}
:focus-visible{outline:2px solid var(--active);outline-offset:2px}

header{display:flex;flex-wrap:wrap;align-items:center;gap:8px 14px;margin-bottom:16px}
#link{display:flex;align-items:center;gap:7px;color:var(--muted)}
#link::before{content:"";width:9px;height:9px;border-radius:50%;background:var(--bad)}
#link.live::before{background:var(--good);animation:breathe 2.4s ease-in-out infinite}
@keyframes breathe{50%{opacity:.35}}
#figures{display:flex;flex-wrap:wrap;gap:6px 30px;margin-left:auto}
#figures div{display:flex;flex-direction:column-reverse;min-width:64px;text-align:right}
#figures dt{color:var(--muted);font-size:12.5px}
#figures dd{font-size:24px;font-weight:650;line-height:1.15;font-variant-numeric:tabular-nums}
#figures .some dd{color:var(--bad)}

#chart .picture{overflow-x:auto;border-radius:14px}
#chart svg{display:block;width:100%;max-width:none!important}
#chart .narrow{display:none}
#chart .machine{display:none}
#chart .state[role=button]{cursor:pointer}
#chart .state[role=button]:focus{outline:none}
#chart .state[role=button]:hover .box,#chart .state[role=button]:focus-visible .box{stroke:var(--active)}
#chart .state[role=button]:focus-visible .box{stroke-width:3}
#chart .state[aria-pressed=true] .box{fill:var(--chosen)}
#chart .count{font-size:15px}
#chart .flow{fill:var(--ink);font-weight:600}
#chart .state.refused .box{fill:var(--wc-bad-tint);stroke:var(--bad);stroke-width:3}
#chart .refusals{font-size:12px;font-weight:650;fill:var(--bad)}
#chart .line{transition:stroke-width .3s}

.columns{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:16px;margin-top:16px;align-items:start}
.side{display:grid;gap:16px}
.columns section{background:var(--card);border:1px solid var(--edge);border-radius:14px;padding:14px 16px;min-width:0}
.bar{display:flex;flex-wrap:wrap;align-items:center;gap:6px 12px;margin-bottom:8px}
.bar p{color:var(--muted);font-variant-numeric:tabular-nums}
.bar label,.bar button:last-child{margin-left:auto}
.bar button+label{margin-left:auto}
button,select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--edge);border-radius:8px;
  padding:3px 10px;min-height:30px;cursor:pointer}
button:hover,select:hover{background:var(--hover)}
label{color:var(--muted)}
label input{font:inherit;color:inherit;background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:3px 8px;width:12ch;margin-left:4px}
label select{color:var(--ink);margin-left:4px}
.empty{color:var(--muted);padding:8px 0}

.rows{max-height:max(420px,calc(100vh - 220px));overflow-y:auto;margin:0 -6px;padding:0 6px}
thead th{position:sticky;top:0;background:var(--card);z-index:1}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th{font-weight:500;font-size:12.5px;color:var(--muted);text-align:left}
th,td{padding:4px 8px;border-bottom:1px solid var(--edge);vertical-align:baseline}
th:first-child,.id{width:1%;color:var(--muted)}
.number{text-align:right;white-space:nowrap}
td.state,td.peer,.lines{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;
  font-size:12.5px}
td.state{font-weight:650;white-space:nowrap}
td.peer,td.age{color:var(--muted);white-space:nowrap}
td.error{color:var(--bad);font-size:12.5px;width:34%}
.rows:not(:has(td.error:not(:empty))) :is(td.error,th.error){display:none}
tbody tr{cursor:pointer}
tbody tr:last-child td{border-bottom:0}
tbody tr:hover{background:var(--hover)}
tbody tr:focus-visible{outline-offset:-2px}
tbody tr[aria-current=true]{background:var(--chosen);box-shadow:inset 3px 0 var(--active)}

.lines{list-style:none;max-height:340px;overflow-y:auto}
.lines li{display:flex;flex-wrap:wrap;gap:0 10px;padding:3px 0;border-bottom:1px solid var(--edge)}
.lines li:last-child{border-bottom:0}
.lines time,.lines .peer,.lines .note{color:var(--muted)}
.lines li.note{color:var(--muted)}
.lines .refused .path{color:var(--bad)}
#followed-state{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-weight:650;color:var(--active)}
b.event{font-weight:650}
b.event::before{content:"";display:inline-block;width:8px;height:8px;margin-right:6px;border-radius:50%;background:currentColor}
b.client{color:var(--client)}
b.server{color:var(--server)}
b.server::before{border-radius:2px}
b.transport,b.unknown{color:var(--transport)}
b.transport::before{background:none;border:1.6px solid}

footer{margin-top:16px;color:var(--muted);font-size:12.5px}

@media (max-width:1000px){
  .columns{grid-template-columns:minmax(0,1fr)}
  .columns:has(#followed:not([hidden])) .side{order:-1}
  .rows{max-height:70vh}
}
@media (max-width:760px){
  body{padding:14px 12px}
  #figures{margin-left:0;width:100%;display:grid;grid-template-columns:repeat(4,auto);gap:4px 12px;justify-content:space-between}
  #figures div{min-width:0;text-align:left}
  #figures dd{font-size:19px}
  #figures dt{font-size:11.5px}
  #chart .wide{display:none}
  #chart .narrow{display:block}
  #chart .narrow svg{height:auto}
  .columns section{padding:12px}
  table,tbody{display:block}
  thead{display:none}
  tbody tr{display:grid;grid-template-columns:auto 1fr auto auto;gap:0 10px;padding:6px 4px;border-bottom:1px solid var(--edge)}
  tbody td{border:0;padding:0;width:auto!important}
  td.peer{grid-column:2/-1;grid-row:2}
  td.error{grid-column:2/-1;grid-row:3}
  td.error:empty{display:none}
}
@media (prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}
`;
