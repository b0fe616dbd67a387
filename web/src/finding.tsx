import { type Dossier, type Finding, where } from "./data";

export function Mark({ one }: { one: Finding }) {
  return <span class={`mark ${one.severity}`}>{one.severity}</span>;
}

export function Place({ one }: { one: { file: string; line: number } }) {
  return one.file ? <code class="place">{where(one)}</code> : null;
}

/** One finding with all that speaks for it. */
export function Details({ one, dossier }: { one: Finding; dossier: Dossier }) {
  const ready = dossier.fixes?.applied.find((fix) => fix.fingerprint === one.fingerprint);
  const left = dossier.fixes?.not_fixed[one.fingerprint];
  const offer = one.fixes[0];
  return (
    <div class="details">
      <p>{one.message}</p>
      <p>
        <b>If not:</b> {one.consequence}
      </p>
      {one.related.length > 0 && (
        <ul class="related">
          {one.related.map((place, index) => (
            <li key={index}>
              <Place one={place} /> {place.note}
            </li>
          ))}
        </ul>
      )}
      {offer && (
        <p>
          <b>Fix</b> <span class={`safety ${offer.safety}`}>{offer.safety}</span> {offer.title}. <span class="faint">{offer.reason}</span>
        </p>
      )}
      {ready && <p class="good">Ready: {ready.title}. Impact: {ready.impact}.</p>}
      {!ready && left && !offer?.title.includes(left.reason) && !left.reason.includes(offer?.title ?? "\n") && <p class="faint">Why no edit is made: {left.reason}.</p>}
      {left?.text && (
        <details>
          <summary>A text to complete</summary>
          <pre tabIndex={0}>{left.text}</pre>
        </details>
      )}
      <p class="faint">
        <code>shoreup explain {one.fingerprint.slice(0, 8)}</code>
      </p>
    </div>
  );
}
