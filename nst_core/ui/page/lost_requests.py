"""Carries a page's requests over a gap in the connection, which gradio 6.31 answers by loading the page anew.

That loses what was typed, chosen and dropped. What a page asks by itself, whenever something is touched, is sent again
until there is an answer; its heartbeat, by which the server knows that the page is open and which gradio opens only
once, is opened again. After a real gap the window has the event "connected-again", as the server may have been started
again, or have forgotten the page. A queued job whose news break off is lost all the same: the server ends it.

The script must be there before gradio's modules, which keep the `fetch` that they find.
"""

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0  # seconds between two tries; each is twice the last
GAP = 40.0  # seconds without a heartbeat, of which one comes every 15, as after a computer's sleep
SCRIPT = (
    f"""<script>{{
  const FIRST_PAUSE = {FIRST_PAUSE}, LONGEST_PAUSE = {LONGEST_PAUSE}, GAP = {GAP};"""
    + r"""
  const EVENT = /\/gradio_api\/(run\/|queue\/join)/, HEARTBEAT = /\/gradio_api\/heartbeat\//;
  const WORDS = 'No connection to the server. What you did is sent as soon as it is back …';
  const ask = window.fetch.bind(window);
  const pause = failures => new Promise(resolve =>
    setTimeout(resolve, 1000 * Math.min(FIRST_PAUSE * 2 ** failures, LONGEST_PAUSE)));
  // what stands between may answer for the server, which itself answers in JSON
  const isProxys = answer => [502, 503, 504].includes(answer.status)
    && !answer.headers.get('Content-Type')?.includes('json');

  let held = 0, line = null;
  const hold = change => {
    held += change;
    if (held && !line) {
      line = Object.assign(document.createElement('p'), {id: 'no-connection', role: 'alert', textContent: WORDS});
      line.style.cssText = 'position: fixed; inset: auto 0 0 0; z-index: 9; margin: 0; padding: 8px;'
        + 'text-align: center; background: var(--error-background-fill, #fff); color: var(--error-text-color, #900)';
      document.body.append(line);
    } else if (!held) { line?.remove(); line = null; }
  };

  const untilAnswered = async (...given) => {
    for (let failures = 0; ; failures++) {
      try {
        const answer = await ask(...given);
        if (!isProxys(answer)) { if (failures > 1) hold(-1); return answer; }
      } catch (error) {
        if (error.name === 'AbortError') { if (failures > 1) hold(-1); throw error; }
      }
      if (failures === 1) hold(1);  // a hiccup is not worth words
      await pause(failures);
    }
  };

  const withoutEnd = request => new Response(new ReadableStream({async start(stream) {
    let heard = Date.now(), lost = false;
    for (let failures = 0; !request.signal.aborted; failures++) {
      const began = performance.now();
      try {
        const answer = await ask(request.clone()), reader = answer.body.getReader();
        if (isProxys(answer)) throw new Error(answer.status);
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
          if (lost || Date.now() - heard > 1000 * GAP) window.dispatchEvent(new Event('connected-again'));
          [heard, lost] = [Date.now(), false];
          stream.enqueue(part.value);
        }
      } catch (error) { console.debug(error); lost ||= failures > 0; }
      if (performance.now() - began > 1000 * LONGEST_PAUSE) failures = 0;
      await pause(failures);
    }
    stream.close();
  }}), {headers: {'Content-Type': 'text/event-stream'}});

  window.fetch = async (input, init) => {
    const {pathname} = new URL(input.url ?? input, location);
    if (EVENT.test(pathname)) return untilAnswered(input, init);
    return HEARTBEAT.test(pathname) ? withoutEnd(new Request(input, init)) : ask(input, init);
  };
}</script>"""
)
