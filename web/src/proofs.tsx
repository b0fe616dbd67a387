import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { type Dossier, grouped, type Proof } from "./data";

const WORDS = { pass: "PASS", fail: "FAIL", "could-not-verify": "COULD NOT VERIFY" };
const LINE = 3;
/** Fewer measurements than this are no trend. */
const AIMED = [
  ["rto", "Recovery time (RTO)"],
  ["rpo", "Recovery point (RPO)"],
] as const;

export function Proofs({ dossier }: { dossier: Dossier }) {
  const by = [...grouped(dossier.proofs, (one) => `${one.drill}\n${one.subject}`)];
  return (
    <section id="proofs" aria-labelledby="proofs-title">
      <h2 id="proofs-title">Proofs</h2>
      {by.length === 0 ? (
        <p class="empty">
          Nothing has been proven yet. <code>shoreup drill</code> restores the newest copy of each backup into a scratch server and compares
          every table.
        </p>
      ) : (
        <p class="lead">Each is the record of a drill on a real engine, with a control that had to fail.</p>
      )}
      {by.map(([name, some]) => (
        <Subject key={name} some={some} dossier={dossier} />
      ))}
    </section>
  );
}

function Subject({ some, dossier }: { some: Proof[]; dossier: Dossier }) {
  const last = some[some.length - 1];
  if (!last) return null;
  const aim = dossier.aims[last.subject];
  const rest = last.measurements.filter((one) => !AIMED.some(([name]) => name === one.name));
  return (
    <article class={`proven ${last.verdict}`}>
      <h3>
        <span class={`verdict ${last.verdict}`}>{WORDS[last.verdict]}</span> {last.subject} <span class="faint">{last.drill}</span>
      </h3>
      <p>
        {last.claim} <span class="faint">On {last.engine.product} {last.engine.version}.</span>
      </p>
      <p>{capital(last.after)}</p>
      {some.length > 1 && <History some={some} />}
      <div class="trends">
        {AIMED.map(([name, title]) => (
          <Trend key={name} title={title} name={name} some={some} aim={aim?.[name] ?? null} />
        ))}
      </div>
      <p class="faint">
        Taken {last.taken.slice(0, 10)}
        {last.verdict === "pass" && `, counts until ${last.expires.slice(0, 10)}`}.
      </p>
      <details>
        <summary>How it was shown</summary>
        <dl>
          <dt>Control</dt>
          <dd>
            {last.before.startsWith(last.control.what) || !last.before ? last.before || last.control.what : `${last.control.what}: ${last.before}`}
          </dd>
          {last.limits.length > 0 && (
            <>
              <dt>Not shown</dt>
              <dd>{last.limits.join("; ")}</dd>
            </>
          )}
          {rest.map((one) => (
            <>
              <dt key={one.name}>{one.name}</dt>
              <dd>{measured(one)}</dd>
            </>
          ))}
        </dl>
      </details>
    </article>
  );
}

/** Every verdict so far, the oldest first. */
function History({ some }: { some: Proof[] }) {
  const shown = some.slice(-20);
  return (
    <ol class="history" aria-label="Verdicts so far">
      {shown.map((one) => (
        <li key={one.id} class={one.verdict} title={`${one.taken.slice(0, 10)} ${WORDS[one.verdict]}`}>
          <span class="unseen">
            {one.taken.slice(0, 10)} {WORDS[one.verdict]}
          </span>
        </li>
      ))}
      <li class="words faint">
        {some.filter((one) => one.verdict === "pass").length} of {some.length} passed, the last {WORDS[shown[shown.length - 1]?.verdict ?? "fail"]}
      </li>
    </ol>
  );
}

/** A number beside what is allowed, and how it developed; told in words to those who cannot see it. */
function Trend({ title, name, some, aim }: { title: string; name: string; some: Proof[]; aim: number | null }) {
  const target = useRef<HTMLDivElement>(null);
  const points = some.flatMap((proof) => {
    const found = proof.measurements.find((one) => one.name === name);
    return found ? [{ at: Date.parse(proof.taken) / 1000, value: found.value }] : [];
  });
  const most = Math.max(...points.map((one) => one.value));
  useEffect(() => {
    const holder = target.current;
    if (!holder || points.length < LINE) return;
    const ink = getComputedStyle(document.documentElement);
    const colour = (variable: string) => ink.getPropertyValue(variable).trim();
    const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 } };
    // An objective that is far above would press the line to the ground.
    const near = aim !== null && aim <= most * 4;
    const plot = new uPlot(
      {
        width: Math.min(420, holder.clientWidth || 320),
        height: 140,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: () => [0, Math.max(most, near ? aim : 0) * 1.15 || 1] } },
        axes: [
          { ...axis, values: (_, all) => all.map((one) => new Date(one * 1000).toISOString().slice(5, 10)), space: 70 },
          { ...axis, size: 56, values: (_, all) => all.map(spoken), space: 36 },
        ],
        series: [
          {},
          { stroke: colour("--accent"), fill: `${colour("--accent")}22`, width: 2, points: { show: true, size: 6 } },
          { stroke: colour("--bad"), width: 1, dash: [6, 4], points: { show: false } },
        ],
      },
      [points.map((one) => one.at), points.map((one) => one.value), points.map(() => (near ? aim : null))],
      holder,
    );
    return () => plot.destroy();
  }, []);
  const last = points[points.length - 1];
  if (!last) return null;
  const over = aim !== null && last.value > aim;
  return (
    <figure>
      <figcaption>
        {title}
        <b class={over ? "bad" : undefined}>{spoken(last.value)}</b>
        {aim !== null && <span class="faint"> of {spoken(aim)} allowed</span>}
        {points.length > 1 && <span class="unseen">; before: {points.slice(0, -1).map((one) => spoken(one.value)).join(", ")}</span>}
      </figcaption>
      {points.length >= LINE && <div ref={target} aria-hidden="true" />}
    </figure>
  );
}

function measured({ value, unit }: { value: number; unit: string }): string {
  if (unit === "s") return spoken(value);
  if (unit === "bytes") return sized(value);
  return `${value.toLocaleString("en")} ${unit}`;
}

function sized(bytes: number): string {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)));
  return `${(bytes / 1000 ** power).toLocaleString("en", { maximumFractionDigits: 1 })} ${["bytes", "kB", "MB", "GB", "TB"][power]}`;
}

function spoken(seconds: number): string {
  if (seconds >= 172800) return `${Math.round(seconds / 86400)} d`;
  if (seconds >= 7200) return `${Math.round(seconds / 3600)} h`;
  if (seconds >= 120) return `${Math.round(seconds / 60)} min`;
  if (seconds > 0 && seconds < 0.1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  return `${Math.round(seconds * 10) / 10} s`;
}

function capital(text: string): string {
  return text && `${text[0]?.toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
