import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { type Dossier, grouped, type Proof } from "./data";

const WORDS = { pass: "PASS", fail: "FAIL", "could-not-verify": "COULD NOT VERIFY" };

export function Proofs({ dossier }: { dossier: Dossier }) {
  const by = [...grouped(dossier.proofs, (one) => `${one.subject} (${one.drill})`)];
  return (
    <section id="proofs" aria-labelledby="proofs-title">
      <h2 id="proofs-title">Proofs</h2>
      {by.length === 0 && (
        <p>
          Nothing has been proven yet. <code>shoreup drill</code> restores the newest copy of each backup into a scratch server and compares
          every table.
        </p>
      )}
      {by.map(([name, some]) => (
        <Subject key={name} name={name} some={some} dossier={dossier} />
      ))}
    </section>
  );
}

function Subject({ name, some, dossier }: { name: string; some: Proof[]; dossier: Dossier }) {
  const last = some[some.length - 1];
  if (!last) return null;
  const aim = dossier.aims[last.subject];
  return (
    <article class="proven">
      <h3>
        {name} <span class={`verdict ${last.verdict}`}>{WORDS[last.verdict]}</span>
      </h3>
      <p>
        {last.claim} <span class="faint">on {last.engine.product} {last.engine.version}</span>
      </p>
      <p>{last.after}</p>
      {last.before && <p class="faint">Control: {last.before}</p>}
      <p class="faint">
        {last.measurements.map((one) => `${one.name} ${one.value} ${one.unit}`).join(", ")}
      </p>
      {last.limits.length > 0 && <p class="faint">Not shown: {last.limits.join("; ")}</p>}
      <p class="faint">
        Taken {last.taken.slice(0, 10)}, counts until {last.expires.slice(0, 10)}.
      </p>
      <div class="trends">
        <Trend title="Recovery time (RTO)" name="rto" some={some} aim={aim?.rto ?? null} />
        <Trend title="Recovery point (RPO)" name="rpo" some={some} aim={aim?.rpo ?? null} />
      </div>
    </article>
  );
}

/** How a number developed, in seconds, with the objective as a line; told in words to those who cannot see it. */
function Trend({ title, name, some, aim }: { title: string; name: string; some: Proof[]; aim: number | null }) {
  const target = useRef<HTMLDivElement>(null);
  const points = some.flatMap((proof) => {
    const found = proof.measurements.find((one) => one.name === name);
    return found ? [{ at: Date.parse(proof.taken) / 1000, value: found.value }] : [];
  });
  useEffect(() => {
    const holder = target.current;
    if (!holder || points.length < 2) return;
    const ink = getComputedStyle(document.documentElement);
    const colour = (variable: string) => ink.getPropertyValue(variable).trim();
    const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line") } };
    const plot = new uPlot(
      {
        width: Math.min(420, holder.clientWidth || 320),
        height: 160,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_, __, most) => [0, Math.max(most, aim ?? 0) * 1.1 || 1] } },
        axes: [axis, { ...axis, size: 64, values: (_, all) => all.map(spoken) }],
        series: [
          {},
          { stroke: colour("--accent"), width: 2, points: { show: true, size: 6 } },
          { stroke: colour("--bad"), width: 1, dash: [6, 4], points: { show: false } },
        ],
      },
      [points.map((one) => one.at), points.map((one) => one.value), points.map(() => aim)],
      holder,
    );
    return () => plot.destroy();
  }, []);
  const last = points[points.length - 1];
  if (!last) return null;
  const words = `${spoken(last.value)}${aim === null ? "" : `, allowed ${spoken(aim)}`}`;
  return (
    <figure>
      <figcaption>
        {title}: {words}
        {points.length > 1 && <span class="unseen">; before: {points.slice(0, -1).map((one) => spoken(one.value)).join(", ")}</span>}
      </figcaption>
      <div ref={target} aria-hidden="true" />
    </figure>
  );
}

function spoken(seconds: number): string {
  if (seconds >= 172800) return `${Math.round(seconds / 86400)} d`;
  if (seconds >= 7200) return `${Math.round(seconds / 3600)} h`;
  if (seconds >= 120) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds * 10) / 10} s`;
}
