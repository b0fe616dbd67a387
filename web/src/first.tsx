import { CLASS_NAMES, type Dossier, type Finding } from "./data";
import { Details, Mark, Place } from "./finding";

export function First({ dossier }: { dossier: Dossier }) {
  const by = new Map(dossier.account.findings.map((one) => [one.fingerprint, one]));
  const found = dossier.first.map(({ fingerprint, count }) => [by.get(fingerprint), count] as const);
  const worst = found.filter((pair): pair is readonly [Finding, number] => pair[0] !== undefined);
  return (
    <section id="first" aria-labelledby="first-title">
      <h2 id="first-title">Do these first</h2>
      {worst.length === 0 && <p class="good">Nothing was found that would sink it.</p>}
      <ol class="first">
        {worst.map(([one, count]) => (
          <li key={one.fingerprint} class={one.class}>
            <h3>
              {one.concern} <Mark one={one} /> <span class="class-name">{CLASS_NAMES[one.class]}</span>
              {count > 1 && <span class="faint"> and {count - 1} more</span>}
            </h3>
            <Place one={one} />
            <Details one={one} dossier={dossier} />
          </li>
        ))}
      </ol>
    </section>
  );
}
