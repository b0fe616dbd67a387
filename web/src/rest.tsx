import { type Dossier, grouped, where } from "./data";

export function Rest({ dossier }: { dossier: Dossier }) {
  const { undecided, suppressed, errors, notices } = dossier.account;
  return (
    <section id="open" aria-labelledby="open-title">
      <h2 id="open-title">Not known, accepted, not read</h2>
      <Fold title={`${undecided.length} questions that the source leaves open`} empty={!undecided.length}>
        {[...grouped(undecided, (one) => one.concern)].map(([concern, some]) => (
          <li key={concern}>
            <b>{concern}</b> <span class="faint">×{some.length}</span>
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
      <Fold title={`${suppressed.length} findings that the owner accepts`} empty={!suppressed.length}>
        {suppressed.map((one) => (
          <li key={one.fingerprint}>
            <b>{one.concern}</b> {one.subject}: {one.reason}
            <span class="faint"> {one.until ? `until ${one.until}` : "without an end"}, {where(one.where)}</span>
          </li>
        ))}
      </Fold>
      <Fold title={`${errors.length} things that could not be read`} empty={!errors.length}>
        {errors.map((one, index) => (
          <li key={index}>
            <code class="place">{where(one)}</code> {one.cause}; left out: {one.skipped}
          </li>
        ))}
      </Fold>
      <Fold title={`${notices.length} notes about the settings`} empty={!notices.length}>
        {notices.map((one, index) => (
          <li key={index}>
            <code class="place">{where(one)}</code> {one.message}
          </li>
        ))}
      </Fold>
    </section>
  );
}

function Fold(props: { title: string; empty: boolean; children: unknown }) {
  if (props.empty) return <p class="faint">{props.title.replace(/^0/, "No")}.</p>;
  return (
    <details>
      <summary>{props.title}</summary>
      <ul>{props.children as never}</ul>
    </details>
  );
}
