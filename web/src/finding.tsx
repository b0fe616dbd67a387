import { type Dossier, type Finding, where } from "./data";

export function Mark({ one }: { one: { severity: string } }) {
  return <span class={`mark ${one.severity}`}>{one.severity}</span>;
}

export function Place({ one }: { one: { file: string; line: number } }) {
  return one.file ? <code class="place">{where(one)}</code> : null;
}

/** What mends it, and how much of that is done. */
export function Remedy({ one, dossier }: { one: Finding; dossier: Dossier }) {
  const ready = dossier.fixes?.applied.find((fix) => fix.fingerprint === one.fingerprint);
  const offer = one.fixes[0];
  if (!offer && !ready) return null;
  const safety = ready?.safety ?? offer?.safety;
  return (
    <p class="remedy">
      <b>{ready ? "Fix, ready" : "Fix"}</b> <span class={`safety ${safety}`}>{safety}</span> {ready?.title ?? offer?.title}
      {ready && <span class="faint"> (impact: {ready.impact})</span>}
    </p>
  );
}

/** What speaks for a finding, why it is not mended by an edit, and how to hear more. */
export function Evidence({ one, dossier }: { one: Finding; dossier: Dossier }) {
  const left = dossier.fixes?.not_fixed[one.fingerprint];
  const ready = dossier.fixes?.applied.some((fix) => fix.fingerprint === one.fingerprint);
  const offer = one.fixes[0];
  const said = left && (offer?.title.includes(left.reason) || left.reason.includes(offer?.title ?? "\n"));
  return (
    <div class="evidence">
      {one.related.length > 0 && (
        <ul>
          {one.related.map((place, index) => (
            <li key={index}>
              <Place one={place} /> {place.note}
            </li>
          ))}
        </ul>
      )}
      {offer?.reason && !ready && <p class="faint">The fix is {offer.safety === "shown" ? "only shown" : offer.safety}: {offer.reason}.</p>}
      {left && !ready && !said && <p class="faint">Why no edit is made: {left.reason}.</p>}
      {left?.text && (
        <details>
          <summary>A text to complete</summary>
          <pre tabIndex={0}>{left.text}</pre>
        </details>
      )}
      <p class="faint">
        {one.confidence === "likely" && "Likely, not certain. "}
        {one.dependants > 0 && `${one.dependants} ${one.dependants === 1 ? "thing hangs" : "things hang"} on it. `}
        More: <code>shoreup explain {one.fingerprint.slice(0, 8)}</code>
      </p>
    </div>
  );
}
