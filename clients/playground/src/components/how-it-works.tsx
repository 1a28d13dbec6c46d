// The way of an event, from a call to the browsers, in three steps.

export function Route() {
  return (
    <section className="route" aria-labelledby="route-title">
      <h2 id="route-title" className="unseen">
        How an event travels
      </h2>
      <ol>
        <li>
          <span className="route-mark">1</span>
          <h3>Your backend calls</h3>
          <p>
            <code>SelectRole</code>, <code>RequireFeedback</code>: one gRPC call, in any language. Each action
            here shows its command, ready to paste.
          </p>
        </li>
        <li>
          <span className="route-mark">2</span>
          <h3>The log takes it</h3>
          <p>
            State and event are one step. The event has a position, <code>#1</code>, <code>#2</code>,{' '}
            <code>#3</code>, without a gap.
          </p>
        </li>
        <li>
          <span className="route-mark">3</span>
          <h3>Browsers are told</h3>
          <p>
            By any edge, live. Whoever was away goes on from the last position seen, and gets what was missed.
          </p>
        </li>
      </ol>
    </section>
  );
}
