import { type Dossier, grouped, titled, where } from "./data";

export function Rest({ dossier }: { dossier: Dossier }) {
  const { undecided, suppressed, errors, notices } = dossier.account;
  const nothing = [
    !undecided.length && "no question is left open",
    !suppressed.length && "no finding is accepted by the owner",
    !errors.length && "everything could be read",
    !notices.length && "nothing is to be said of the settings",
  ].filter(Boolean);
  return (
    <section id="open" aria-labelledby="open-title">
      <h2 id="open-title">Not known, accepted, not read</h2>
      <Fold count={undecided.length} title="that the source leaves open" one="question" many="questions">
        {[...grouped(undecided, (one) => one.concern)].map(([concern, some]) => (
          <li key={concern}>
            <b>{titled(dossier, concern)}</b> <span class="faint">×{some.length}</span>
            <ul>
              {some.slice(0, 20).map((one, index) => (
                <li key={index}>
                  <code class="place">{where(one)}</code> {one.unknown}: {one.reason}
                </li>
              ))}
              {some.length > 20 && <li class="faint">and {some.length - 20} more</li>}
            </ul>
          </li>
        ))}
      </Fold>
      <Fold count={suppressed.length} title="that the owner accepts" one="finding" many="findings">
        {suppressed.map((one) => (
          <li key={one.fingerprint}>
            <b>{titled(dossier, one.concern)}</b> {one.subject}: {one.reason}
            <span class="faint">
              {" "}
              {one.until ? `until ${one.until}` : "without an end"}, {where(one.where)}
            </span>
          </li>
        ))}
      </Fold>
      <Fold count={errors.length} title="that could not be read" one="thing" many="things">
        {errors.map((one, index) => (
          <li key={index}>
            <code class="place">{where(one)}</code> {one.cause}; left out: {one.skipped}
          </li>
        ))}
      </Fold>
      <Fold count={notices.length} title="about the settings" one="note" many="notes">
        {notices.map((one, index) => (
          <li key={index}>
            <code class="place">{where(one)}</code> {one.message}
          </li>
        ))}
      </Fold>
      {nothing.length > 0 && <p class="faint">Otherwise: {nothing.join(", ")}.</p>}
    </section>
  );
}

function Fold(props: { count: number; title: string; one: string; many: string; children: unknown }) {
  if (!props.count) return null;
  return (
    <details>
      <summary>
        <b>{props.count}</b> {props.count === 1 ? props.one : props.many} {props.title}
      </summary>
      <ul>{props.children as never}</ul>
    </details>
  );
}
