import { useEffect, useState } from "preact/hooks";
import { type Ask, CLASSES, CLASS_NAMES, CLASS_WORDS, counted, type Dossier, type Finding, SEVERITIES } from "./data";

const SECTIONS: [string, string][] = [
  ["first", "Do these first"],
  ["services", "Services"],
  ["wiring", "Wiring"],
  ["findings", "Findings"],
  ["fixes", "Fixes"],
  ["proofs", "Proofs"],
  ["open", "Not known"],
];

export function Head({ dossier, ask }: { dossier: Dossier; ask: Ask }) {
  const { account, fixes, proofs } = dossier;
  const made = new Date(dossier.made);
  const passed = proofs.filter((one) => one.verdict === "pass").length;
  return (
    <>
      <header>
        <p class="brand">
          <b>Shoreup</b>
          <time dateTime={dossier.made}>{made.toISOString().slice(0, 16).replace("T", " ")} UTC</time>
        </p>
        <h1>What would sink {account.estate.map(shortened).join(", ") || "this platform"}</h1>
        <Sum dossier={dossier} />
        <ul class="tiles">
          {CLASSES.map((name) => (
            <Tile key={name} name={name} found={account.findings.filter((one) => one.class === name)} ask={ask} />
          ))}
          {fixes && (
            <li>
              <a class="tile fix" href="#fixes">
                <span class="count">
                  <b>{fixes.applied.length}</b> {fixes.written.length ? "fixed" : "fixes ready"}
                </span>
                <span class="faint">{fixes.written.length ? `checked, in ${fixes.written.length} files` : fixes.applied.length ? "checked, nothing written" : "a person has to decide"}</span>
              </a>
            </li>
          )}
          <li>
            <a class="tile proof" href="#proofs">
              <span class="count">
                <b>{passed}</b> proven
              </span>
              <span class="faint">{proofs.length ? `by ${proofs.length} drills` : "no drill has run yet"}</span>
            </a>
          </li>
        </ul>
      </header>
      <Sections there={SECTIONS.filter(([id]) => id !== "fixes" || fixes)} />
    </>
  );
}

/** The whole in a line; what was fixed beside what was there. */
function Sum({ dossier }: { dossier: Dossier }) {
  const { account, fixes } = dossier;
  const resources = Object.values(account.coverage.resources).reduce((a, b) => a + b, 0);
  const files = Object.values(account.coverage.files).reduce((a, b) => a + b, 0);
  const counts = counted(account.findings);
  const before = fixes?.written.length ? SEVERITIES.reduce((sum, name) => sum + (fixes.before[name] ?? 0), 0) : 0;
  return (
    <p class="sum">
      {counts.length === 0 && <b class="good">Nothing found</b>}
      {counts.map(([name, count]) => (
        <span key={name}>
          <b>{count}</b> {name}
        </span>
      ))}
      {before > account.findings.length && (
        <span class="good">
          <b>{before - account.findings.length}</b> less than before
        </span>
      )}
      <span class="faint">
        read from {files} files, {resources} resources
      </span>
    </p>
  );
}

function Tile({ name, found, ask }: { name: keyof typeof CLASS_NAMES; found: Finding[]; ask: Ask }) {
  const counts = counted(found);
  return (
    <li>
      <button type="button" class={`tile ${name}`} disabled={!found.length} onClick={() => ask({ kind: name })}>
        <span class="count">
          <b>{found.length}</b> {CLASS_NAMES[name]}
        </span>
        <span class="faint">{CLASS_WORDS[name]}</span>
        {counts.length > 0 && (
          <svg class="bar" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true">
            {counts.map(([severity, count], index) => {
              const start = counts.slice(0, index).reduce((sum, [, one]) => sum + one, 0);
              return <rect key={severity} class={severity} x={(100 * start) / found.length} y="0" width={(100 * count) / found.length} height="3" />;
            })}
          </svg>
        )}
        <span class="faint">{counts.map(([severity, count]) => `${count} ${severity}`).join(", ") || "nothing found"}</span>
      </button>
    </li>
  );
}

/** Where one is, and where else one may go; it stays in sight. */
function Sections({ there }: { there: [string, string][] }) {
  const [here, setHere] = useState("");
  useEffect(() => {
    const seen = new IntersectionObserver(
      (entries) => {
        for (const one of entries) setHere((before) => (one.isIntersecting ? one.target.id : before === one.target.id ? "" : before));
      },
      { rootMargin: "-20% 0px -75% 0px" },
    );
    for (const [id] of there) {
      const section = document.getElementById(id);
      if (section) seen.observe(section);
    }
    return () => seen.disconnect();
  }, []);
  return (
    <nav aria-label="Sections">
      <div>
        {there.map(([id, name]) => (
          <a href={`#${id}`} key={id} aria-current={here === id ? "true" : undefined}>
            {name}
          </a>
        ))}
      </div>
    </nav>
  );
}

/** The last part of a path: where the repository lies is nobody's business who gets the page. */
function shortened(path: string): string {
  return path.replace(/\/+$/, "").split("/").pop() || "this platform";
}
