import { useState } from "preact/hooks";
import { type Ask, type Cell, type Dossier, type Service, type Standing, STANDING_NAMES, TRAIT_NAMES } from "./data";

const FEW = 40;
const SIGNS: Record<Standing, string> = { good: "✓", weak: "!", trouble: "✗", open: "?", none: "–" };
const NONE: Cell = { standing: "none", note: "", fingerprints: [] };

export function Services({ dossier, ask }: { dossier: Dossier; ask: Ask }) {
  const [words, setWords] = useState("");
  const [ailing, setAiling] = useState(false);
  const [all, setAll] = useState(false);
  const wanted = words.toLowerCase();
  const found = dossier.services.filter(
    (one) =>
      `${one.namespace}/${one.name}`.toLowerCase().includes(wanted) &&
      (!ailing || Object.values(one.cells).some((cell) => cell.standing === "trouble" || cell.standing === "weak")),
  );
  const shown = all ? found : found.slice(0, FEW);
  return (
    <section id="services" aria-labelledby="services-title">
      <h2 id="services-title">How ready each service is</h2>
      {dossier.services.length === 0 && <p class="empty">The repository describes no service of its own.</p>}
      {dossier.services.length > 0 && (
        <>
          <p class="lead">What most depends on comes first. A sign that can be clicked leads to what was found.</p>
          <div class="filters">
            <label>
              Service <input type="search" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
            </label>
            <label>
              <input type="checkbox" checked={ailing} onChange={() => setAiling(!ailing)} /> only with trouble
            </label>
            <ul class="signs">
              {(Object.keys(SIGNS) as Standing[]).map((one) => (
                <li key={one}>
                  <b class={one}>{SIGNS[one]}</b> {STANDING_NAMES[one]}
                </li>
              ))}
            </ul>
          </div>
          {found.length === 0 ? (
            <p class="empty">No service fits.</p>
          ) : (
            <div class="wide" tabIndex={0} role="region" aria-label="Readiness table">
              <table class="readiness">
                <thead>
                  <tr>
                    <th scope="col">Service</th>
                    {dossier.traits.map((trait) => (
                      <Heading key={trait} trait={trait} services={dossier.services} />
                    ))}
                    <th scope="col">Depend on it</th>
                  </tr>
                </thead>
                <tbody>
                  {shown.map((one) => (
                    <Row one={one} traits={dossier.traits} ask={ask} key={`${one.kind} ${one.namespace}/${one.name}`} />
                  ))}
                </tbody>
              </table>
            </div>
          )}
          {found.length > shown.length && (
            <button type="button" class="more" onClick={() => setAll(true)}>
              All {found.length} services
            </button>
          )}
        </>
      )}
    </section>
  );
}

/** The trait, and how many of those that it is asked of have it. */
function Heading({ trait, services }: { trait: string; services: Service[] }) {
  const asked = services.filter((one) => (one.cells[trait] ?? NONE).standing !== "none");
  const have = asked.filter((one) => one.cells[trait]?.standing === "good");
  return (
    <th scope="col">
      {TRAIT_NAMES[trait] ?? trait}
      <span class="faint">
        {have.length} of {asked.length}
      </span>
    </th>
  );
}

function Row({ one, traits, ask }: { one: Service; traits: string[]; ask: Ask }) {
  return (
    <tr>
      <th scope="row">
        <span class="faint">{one.namespace}/</span>
        <wbr />
        {one.name}
        {one.tier && <span class="tier">{one.tier}</span>}
      </th>
      {traits.map((trait) => {
        const cell = one.cells[trait] ?? NONE;
        const said = `${STANDING_NAMES[cell.standing]}${cell.note ? `: ${cell.note}` : ""}`;
        const sign = (
          <>
            <span aria-hidden="true">{SIGNS[cell.standing]}</span>
            <span class="unseen">{said}</span>
          </>
        );
        const what = `${one.namespace}/${one.name}, ${(TRAIT_NAMES[trait] ?? trait).toLowerCase()}`;
        return (
          <td key={trait} class={`cell ${cell.standing}`} title={said}>
            {cell.fingerprints.length > 0 ? (
              <button type="button" onClick={() => ask({ only: { what, fingerprints: cell.fingerprints } })}>
                {sign}
              </button>
            ) : (
              sign
            )}
          </td>
        );
      })}
      <td class="number">{one.dependants || ""}</td>
    </tr>
  );
}
