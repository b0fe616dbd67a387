import { useState } from "preact/hooks";
import { type Dossier, grouped } from "./data";

export function Fixes({ dossier }: { dossier: Dossier }) {
  const fixes = dossier.fixes;
  if (!fixes) return null;
  const by = grouped(fixes.applied, (one) => `${one.safety}: ${one.title}`);
  return (
    <section id="fixes" aria-labelledby="fixes-title">
      <h2 id="fixes-title">Fixes</h2>
      <p>
        Each was checked by reading the edited files again: only what was meant changed, the finding is gone, no new one came.{" "}
        {fixes.written.length ? (
          `They are written into ${fixes.written.length} files.`
        ) : (
          <>
            Nothing is written; <code>shoreup fix --unsafe --write</code> does that.
          </>
        )}
      </p>
      <ul class="fixes">
        {[...by].map(([key, some]) => (
          <li key={key}>
            <span class={`safety ${some[0]?.safety}`}>{some[0]?.safety}</span> {some[0]?.title}
            {some.length > 1 && <span class="faint"> ×{some.length}</span>}
            <span class="faint"> Impact: {some[0]?.impact}.{some[0]?.cost ? ` Costs ${some[0].cost}.` : ""}</span>
          </li>
        ))}
      </ul>
      <h3>Changes by file</h3>
      {fixes.diffs.map((one) => (
        <Diff key={one.file} file={one.file} text={one.diff} />
      ))}
    </section>
  );
}

function Diff({ file, text }: { file: string; text: string }) {
  const [opened, setOpened] = useState(false);
  return (
    <details class="diff" onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>
        <code>{file}</code>
      </summary>
      {opened && (
        <pre tabIndex={0}>
          {text.split("\n").map((line, index) => (
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
  if (/^(\+\+\+|---|diff |@@|new file)/.test(line)) return "meta";
  return line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "";
}
