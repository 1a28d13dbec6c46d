// The path of an event from a call to the browsers, in three steps.

export function HowItWorks() {
  return (
    <section className="how-it-works" aria-labelledby="how-it-works-title">
      <h2 id="how-it-works-title" className="visually-hidden">
        How an event reaches browsers
      </h2>
      <ol>
        <li>
          <span className="step-number">1</span>
          <h3>Your backend makes a call</h3>
          <p>
            <code>SelectRole</code>, <code>RequireFeedback</code>: one gRPC call, in any language. Each action
            on this page shows its command, ready to paste.
          </p>
        </li>
        <li>
          <span className="step-number">2</span>
          <h3>The log stores the event</h3>
          <p>
            The state and the event are written in one step. Each event has a position: <code>#1</code>,{' '}
            <code>#2</code>, <code>#3</code>, without gaps.
          </p>
        </li>
        <li>
          <span className="step-number">3</span>
          <h3>Browsers receive it</h3>
          <p>
            Through any edge, live. A browser that was disconnected continues from its last position and
            receives the missed events.
          </p>
        </li>
      </ol>
    </section>
  );
}
