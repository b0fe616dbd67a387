import { useState } from "preact/hooks";
import { type Dossier, grouped } from "./data";

export function Fixes({ dossier }: { dossier: Dossier }) {
  const fixes = dossier.fixes;
  if (!fixes) return null;
  const by = grouped(fixes.applied, (one) => `${one.safety}: ${one.title}`);
  const left = Object.keys(fixes.not_fixed).length;
  return (
    <section id="fixes" aria-labelledby="fixes-title">
      <h2 id="fixes-title">Fixes</h2>
      {by.size === 0 ? (
        <p class="empty">Code can mend nothing here; what a person has to do stands beside each finding.</p>
      ) : (
        <p class="lead">
          Each was checked by reading the edited files again: only what was meant changed, the finding is gone, and no other came.{" "}
          {fixes.written.length ? (
            `They are written into ${fixes.written.length} files.`
          ) : (
            <>
              Nothing is written yet; <code>shoreup fix --unsafe --write</code> does that.
            </>
          )}
          {left > 0 && ` ${left} findings are left for a person, each with the reason.`}
        </p>
      )}
      <ul class="fixes">
        {[...by].map(([key, [one, ...others]]) => (
          <li key={key}>
            <span class={`safety ${one?.safety}`}>{one?.safety}</span>
            <span>
              {one?.title}
              {others.length > 0 && <b class="faint"> ×{others.length + 1}</b>}
              {one?.cost && <span class="faint cost">It costs: {one.cost}</span>}
            </span>
            <span class={`impact ${one?.impact}`}>{one?.impact === "none" ? "no impact" : one?.impact}</span>
          </li>
        ))}
      </ul>
      {fixes.diffs.length > 0 && <h3>Changes by file</h3>}
      {fixes.diffs.map((one) => (
        <Diff key={one.file} file={one.file} text={one.diff} />
      ))}
    </section>
  );
}

function Diff({ file, text }: { file: string; text: string }) {
  const [opened, setOpened] = useState(false);
  const lines = text.split("\n");
  const count = (name: string) => lines.filter((line) => kind(line) === name).length;
  return (
    <details class="diff" onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>
        <code>{file}</code> <span class="good">+{count("added")}</span> <span class="bad">−{count("removed")}</span>
      </summary>
      {opened && (
        <pre tabIndex={0}>
          {lines.map((line, index) => (
            <span key={index} class={kind(line)}>
              {line}
              {"\n"}
            </span>
          ))}
        </pre>
      )}
    </details>
  );
}

function kind(line: string): string {
  if (/^(\+\+\+|---|diff |@@|new file)/.test(line)) return "told";
  return line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "";
}
