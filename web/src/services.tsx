import { useState } from "preact/hooks";
import { type Cell, type Dossier, type Service, STANDING_NAMES, TRAIT_NAMES } from "./data";

const FEW = 40;
const SIGNS = { good: "✓", weak: "!", trouble: "✗", open: "?", none: "–" };

export function Services({ dossier }: { dossier: Dossier }) {
  const [words, setWords] = useState("");
  const [all, setAll] = useState(false);
  const wanted = words.toLowerCase();
  const found = dossier.services.filter((one) => `${one.namespace}/${one.name}`.toLowerCase().includes(wanted));
  const shown = all ? found : found.slice(0, FEW);
  return (
    <section id="services" aria-labelledby="services-title">
      <h2 id="services-title">How ready each service is</h2>
      <p class="filters">
        <label>
          Search <input type="search" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
        </label>
        <span class="faint">What most depends on comes first.</span>
      </p>
      <div class="wide" tabIndex={0} role="region" aria-label="Readiness table">
        <table class="readiness">
          <thead>
            <tr>
              <th scope="col">Service</th>
              {dossier.traits.map((trait) => (
                <th scope="col" key={trait}>
                  {TRAIT_NAMES[trait] ?? trait}
                </th>
              ))}
              <th scope="col">Depend on it</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((one) => (
              <Row one={one} traits={dossier.traits} key={`${one.kind} ${one.namespace}/${one.name}`} />
            ))}
          </tbody>
        </table>
      </div>
      {found.length > shown.length && (
        <button type="button" onClick={() => setAll(true)}>
          Show all {found.length}
        </button>
      )}
    </section>
  );
}

function Row({ one, traits }: { one: Service; traits: string[] }) {
  return (
    <tr>
      <th scope="row">
        <span class="faint">{one.namespace}/</span>
        {one.name}
        {one.tier && <span class="tier">{one.tier}</span>}
      </th>
      {traits.map((trait) => {
        const cell: Cell = one.cells[trait] ?? { standing: "none", note: "", fingerprints: [] };
        const said = `${STANDING_NAMES[cell.standing]}${cell.note ? `: ${cell.note}` : ""}`;
        return (
          <td key={trait} class={`cell ${cell.standing}`} title={said}>
            <span aria-hidden="true">{SIGNS[cell.standing]}</span>
            <span class="unseen">{said}</span>
          </td>
        );
      })}
      <td class="number">{one.dependants || ""}</td>
    </tr>
  );
}
