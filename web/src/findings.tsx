import { useMemo, useState } from "preact/hooks";
import { CLASSES, CLASS_NAMES, type Dossier, type Finding, grouped, SEVERITIES } from "./data";
import { Details, Mark, Place } from "./finding";

const PAGE = 50;

export function Findings({ dossier }: { dossier: Dossier }) {
  const [words, setWords] = useState("");
  const [severity, setSeverity] = useState("");
  const [kind, setKind] = useState("");
  const [namespace, setNamespace] = useState("");
  const every = useMemo(() => [...dossier.account.findings, ...dossier.account.unproven], [dossier]);
  const namespaces = useMemo(() => [...new Set(every.map((one) => one.resource?.namespace ?? ""))].sort(), [every]);
  const found = useMemo(() => {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    return every.filter((one) => {
      if (severity && one.severity !== severity) return false;
      if (kind && one.class !== kind) return false;
      if (namespace && one.resource?.namespace !== namespace) return false;
      const text = `${one.concern} ${one.subject} ${one.message} ${one.file} ${one.fingerprint}`.toLowerCase();
      return wanted.every((word) => text.includes(word));
    });
  }, [every, words, severity, kind, namespace]);
  const concerns = [...grouped(found, (one) => one.concern)];
  return (
    <section id="findings" aria-labelledby="findings-title">
      <h2 id="findings-title">Findings</h2>
      <div class="filters" role="search">
        <label>
          Search <input type="search" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
        </label>
        <Choice name="Severity" value={severity} set={setSeverity} options={SEVERITIES.map((one) => [one, one])} />
        <Choice name="Consequence" value={kind} set={setKind} options={CLASSES.map((one) => [one, CLASS_NAMES[one]])} />
        <Choice
          name="Namespace"
          value={namespace}
          set={setNamespace}
          options={namespaces.filter(Boolean).map((one) => [one, one])}
        />
        <span role="status" class="faint">
          {found.length} of {every.length}
        </span>
      </div>
      {concerns.map(([concern, some]) => (
        <Concern key={concern} concern={concern} some={some} dossier={dossier} open={found.length <= 5} />
      ))}
    </section>
  );
}

function Choice(props: { name: string; value: string; set: (value: string) => void; options: [string, string][] }) {
  return (
    <label>
      {props.name}{" "}
      <select value={props.value} onChange={(event) => props.set(event.currentTarget.value)}>
        <option value="">all</option>
        {props.options.map(([value, text]) => (
          <option value={value} key={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The findings of one concern; what is inside is made when it is opened. */
function Concern(props: { concern: string; some: Finding[]; dossier: Dossier; open: boolean }) {
  const [opened, setOpened] = useState(props.open);
  const [most, setMost] = useState(PAGE);
  const worst = props.some.reduce((a, b) => (SEVERITIES.indexOf(a.severity) <= SEVERITIES.indexOf(b.severity) ? a : b));
  return (
    <details class="concern" open={opened} onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>
        <Mark one={worst} /> <b>{props.concern}</b> <span class="faint">×{props.some.length}</span>
      </summary>
      {opened && (
        <ul>
          {props.some.slice(0, most).map((one) => (
            <li key={one.fingerprint} class={one.class} id={`f-${one.fingerprint}`}>
              <h3>
                {one.subject} <Mark one={one} />
              </h3>
              <Place one={one} />
              <Details one={one} dossier={props.dossier} />
            </li>
          ))}
        </ul>
      )}
      {opened && props.some.length > most && (
        <button type="button" onClick={() => setMost(most + PAGE)}>
          Show more of {props.some.length - most}
        </button>
      )}
    </details>
  );
}
