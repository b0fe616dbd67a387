import { type Ask, CLASS_NAMES, type Dossier, type Finding, titled } from "./data";
import { Evidence, Mark, Place, Remedy } from "./finding";

export function First({ dossier, ask }: { dossier: Dossier; ask: Ask }) {
  const by = new Map(dossier.account.findings.map((one) => [one.fingerprint, one]));
  const found = dossier.first.map(({ fingerprint, count }) => [by.get(fingerprint), count] as const);
  const worst = found.filter((pair): pair is readonly [Finding, number] => pair[0] !== undefined);
  return (
    <section id="first" aria-labelledby="first-title">
      <h2 id="first-title">Do these first</h2>
      {worst.length === 0 ? (
        <p class="empty good">Nothing was found that would sink it.</p>
      ) : (
        <p class="lead">What would be lost for good comes before what would be taken over, and that before what would stop.</p>
      )}
      <ol class="first">
        {worst.map(([one, count]) => (
          <li key={one.fingerprint} class={one.class}>
            <div>
              <h3>{titled(dossier, one.concern)}</h3>
              <p class="meta">
                <Mark one={one} /> <span class="class-name">{CLASS_NAMES[one.class]}</span> <Place one={one} />
                {count > 1 && (
                  <button type="button" class="link" onClick={() => ask({ words: one.concern })}>
                    and {count - 1} more
                  </button>
                )}
              </p>
              <p>{one.message}</p>
              <p class="else">
                <b>If not:</b> {one.consequence}
              </p>
            </div>
            <div class="do">
              <Remedy one={one} dossier={dossier} />
              <details>
                <summary>Evidence</summary>
                <Evidence one={one} dossier={dossier} />
              </details>
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}
