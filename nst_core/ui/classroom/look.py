"""Sets the look of the class's page: light or dark as the browser wants, from a telephone to a projector."""

STYLE = """
:root { color-scheme: light dark; --ground: #f6f7fb; --paper: #fff; --ink: #1c2333; --pale: #5a6478; --line: #d9deea;
  --accent: #4f46e5; --on-accent: #fff; --danger: #b42318; --well: #e9ecf4; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1120; --paper: #171d30; --ink: #eef1f8; --pale: #a5afc4; --line: #2c3550; --accent: #8b93ff;
    --on-accent: #10142a; --danger: #ff8a80; --well: #0a0d18; }
}
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; background: var(--ground); color: var(--ink);
  font: 16px/1.4 "Source Sans Pro", system-ui, sans-serif; }
h1, h2, p { margin: 0; }
h1 { font-size: 1.5rem; line-height: 1.2; }
h2 { font-size: 1.3rem; }
button, select, input, .button { font: inherit; color: inherit; }
button, .button { padding: 8px 16px; border: 1px solid var(--line); border-radius: 8px; background: var(--paper);
  cursor: pointer; text-decoration: none; white-space: nowrap; }
button:hover, .button:hover { border-color: var(--accent); }
button:disabled { opacity: .5; cursor: default; border-color: var(--line); }
.first { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.danger { color: var(--danger); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
[hidden] { display: none !important; }

header { display: flex; flex-wrap: wrap; gap: 10px 24px; align-items: center; justify-content: space-between;
  padding: 14px 20px; }
header p { color: var(--pale); font-variant-numeric: tabular-nums; }
.buttons { display: flex; flex-wrap: wrap; gap: 8px; }
#problem { padding: 8px 20px; color: var(--danger); font-weight: 600; }
main { flex: 1; min-height: 0; padding: 2px 20px 20px; }
#nothing { display: grid; place-items: center; height: 100%; color: var(--pale); font-size: 1.3rem;
  text-align: center; }

#wall { list-style: none; margin: 0; padding: 0 0 20px; display: grid; gap: 14px;
  grid-template-columns: repeat(var(--columns, 4), minmax(0, 1fr)); }
.card { display: flex; flex-direction: column; width: 100%; padding: 0; overflow: hidden; text-align: left;
  white-space: normal; }
.card .picture { display: grid; grid-template: minmax(0, 1fr) / minmax(0, 1fr); width: 100%; min-height: 0;
  aspect-ratio: 4 / 3; background: var(--well); }
.card img { width: 100%; height: 100%; object-fit: contain; }
.card .words { width: 100%; padding: 8px 12px 10px; }
.card .name { display: block; font-size: 1.15rem; font-weight: 600; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.card .status { display: block; min-height: 1.4em; color: var(--pale); font-size: .95rem; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; font-variant-numeric: tabular-nums; }
progress { display: block; appearance: none; width: 100%; height: 6px; border: 0; background: var(--line); }
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--accent); }
progress::-moz-progress-bar { background: var(--accent); }
.over progress { visibility: hidden; }

dialog { border: 1px solid var(--line); border-radius: 14px; padding: 22px; background: var(--paper); color: var(--ink);
  max-width: min(94vw, 640px); max-height: 94vh; overflow: auto; }
dialog::backdrop { background: rgb(5 8 18 / .72); }
dialog form, dialog .form { display: grid; gap: 14px; }
dialog label { display: grid; gap: 4px; color: var(--pale); font-size: .95rem; }
select, input { width: 100%; padding: 8px 10px; border: 1px solid var(--line); border-radius: 8px;
  background: var(--ground); color: var(--ink); }
.fields { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); }
#large { max-width: 98vw; max-height: 98vh; padding: 0; border: 0; background: none; cursor: zoom-out;
  text-align: center; }
#large img { display: block; width: auto; height: min(86vh, calc(96vw / var(--aspect, 1))); border-radius: 10px;
  margin: auto; }
#large p { padding: 10px 0; color: #fff; font-size: 1.6rem; font-weight: 600; overflow-wrap: anywhere; }
#large span { font-size: 1.1rem; font-weight: 400; opacity: .85; }
#address { display: block; padding: 10px; border-radius: 8px; background: var(--well); overflow-wrap: anywhere;
  font-family: ui-monospace, monospace; font-size: .9rem; user-select: all; }
#link { max-width: min(94vw, 1040px); }
#link .form { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 24px; align-items: center; }
#link .form > div { display: grid; gap: 14px; }
#code svg { display: block; width: 100%; max-width: 68vh; margin: auto; height: auto; border-radius: 8px;
  background: #fff; }
.note { color: var(--pale); font-size: .92rem; }
.problem { color: var(--danger); }

.door { display: grid; place-items: center; flex: 1; padding: 20px; }
.door form, .door > div { display: grid; gap: 14px; width: min(100%, 380px); padding: 28px;
  border: 1px solid var(--line); border-radius: 14px; background: var(--paper); }
.door label { display: grid; gap: 4px; color: var(--pale); }

@media (max-width: 640px) {
  dialog { padding: 14px; }
  #link .form { grid-template-columns: minmax(0, 1fr); gap: 14px; }
  #code { order: 1; }
  header, main { padding-left: 12px; padding-right: 12px; }
  #wall { gap: 10px; }
  .buttons { width: 100%; }
  .buttons > * { flex: 1; padding: 8px 6px; text-align: center; font-size: .92rem; }
  .card .words { padding: 6px 8px 8px; }
  .card .name { font-size: 1rem; }
  .card .status { font-size: .82rem; }
  #large p { font-size: 1.2rem; }
}
@media (min-width: 1600px) {
  body { font-size: 19px; }
  h1 { font-size: 2rem; }
  .card .name { font-size: 1.35rem; }
}
"""
