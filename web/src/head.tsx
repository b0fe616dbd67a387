import { CLASSES, CLASS_NAMES, type Dossier, SEVERITIES } from "./data";

const SECTIONS: [string, string][] = [
  ["first", "Do these first"],
  ["services", "Services"],
  ["wiring", "Wiring"],
  ["findings", "Findings"],
  ["fixes", "Fixes"],
  ["proofs", "Proofs"],
  ["open", "Not known"],
];

export function Head({ dossier }: { dossier: Dossier }) {
  const { account } = dossier;
  const made = new Date(dossier.made);
  return (
    <header>
      <p class="brand">Shoreup</p>
      <h1>What would sink {account.estate.map(shortened).join(", ") || "this platform"}</h1>
      <p class="faint">
        <time dateTime={dossier.made}>{made.toISOString().slice(0, 16).replace("T", " ")} UTC</time>
      </p>
      <ul class="tiles">
        {CLASSES.map((name) => {
          const found = account.findings.filter((one) => one.class === name);
          return (
            <li class={`tile ${name}`} key={name}>
              <b>{found.length}</b> {CLASS_NAMES[name]}
              <span class="faint">
                {SEVERITIES.map((severity) => [severity, found.filter((one) => one.severity === severity).length] as const)
                  .filter(([, count]) => count)
                  .map(([severity, count]) => `${count} ${severity}`)
                  .join(", ") || "nothing found"}
              </span>
            </li>
          );
        })}
        <li class="tile proof">
          <b>{dossier.proofs.filter((one) => one.verdict === "pass").length}</b> Proven
          <span class="faint">
            {dossier.proofs.length ? `of ${dossier.proofs.length} drills` : "no drill has run yet"}
          </span>
        </li>
        {dossier.fixes && (
          <li class="tile fix">
            <b>{dossier.fixes.applied.length}</b> {dossier.fixes.written.length ? "Fixed" : "Fixes ready"}
            <span class="faint">{dossier.fixes.written.length ? "checked and written" : "checked, not written"}</span>
          </li>
        )}
      </ul>
      <nav aria-label="Sections">
        {SECTIONS.map(([id, name]) => (
          <a href={`#${id}`} key={id}>
            {name}
          </a>
        ))}
      </nav>
    </header>
  );
}

/** The last part of a path: where the repository lies is nobody's business who gets the page. */
function shortened(path: string): string {
  return path.replace(/\/+$/, "").split("/").pop() || "this platform";
}
