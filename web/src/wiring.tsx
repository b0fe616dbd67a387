import { useMemo, useState } from "preact/hooks";
import { type Ask, CLASSES, CLASS_NAMES, type Consequence, type Dossier, type Thing, where, without } from "./data";
import { Glyph } from "./glyph";
import { boxed, elementsOf, type View } from "./nodes";
import { Picture } from "./picture";

const MANY = 120;
const KINDS = ["way in", "middleware", "workload", "release", "database", "volume", "server", "service", "config"];
const USUAL = new Set(["way in", "middleware", "workload", "release", "database", "volume", "server"]);

export function Wiring({ dossier, ask }: { dossier: Dossier; ask: Ask }) {
  const { things, links } = dossier.graph;
  const worst = useMemo(() => worstOf(dossier), [dossier]);
  const [kinds, setKinds] = useState<ReadonlySet<string>>(USUAL);
  const [view, setView] = useState<View>(things.length > MANY ? "most" : "all");
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [words, setWords] = useState("");
  const [selected, setSelected] = useState<string | null>(null);
  const elements = useMemo(
    () => elementsOf({ graph: dossier.graph, kinds, view, opened, worst }),
    [dossier, kinds, view, opened, worst],
  );
  const choose = (id: string | null) => {
    const box = id === null ? undefined : boxed(id);
    if (box === undefined) setSelected(id);
    else setOpened(new Set([...opened, box]));
  };
  const stopped = useMemo(() => (selected ? without(links, [selected]) : []), [links, selected]);
  const by = useMemo(() => new Map(things.map((one) => [one.id, one])), [things]);
  const wanted = words.toLowerCase();
  const found = wanted ? things.filter((one) => one.name.toLowerCase().includes(wanted)) : [];
  const chosen = selected ? by.get(selected) : undefined;
  const at = useMemo(() => (chosen ? foundAt(dossier, chosen.name) : []), [dossier, chosen]);
  const heavy = [...things].sort((a, b) => b.dependants - a.dependants).filter((one) => one.dependants);
  const there = KINDS.filter((kind) => things.some((one) => one.kind === kind));
  return (
    <section id="wiring" aria-labelledby="wiring-title">
      <h2 id="wiring-title">What hangs on what</h2>
      {things.length === 0 && <p class="empty">The repository wires nothing together.</p>}
      {things.length > 0 && (
        <>
          <p class="lead">
            An arrow goes to what is needed. Choose a thing to see what stops when it does, or a dashed box to open it.
          </p>
          <div class="filters">
            <label>
              Find{" "}
              <input type="search" list="things" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
            </label>
            <datalist id="things">
              {things.slice(0, 500).map((one) => (
                <option value={one.name} key={one.id} />
              ))}
            </datalist>
            <label>
              Show{" "}
              <select
                value={view}
                onChange={(event) => {
                  setView(event.currentTarget.value as View);
                  setOpened(new Set());
                }}
              >
                <option value="most">what matters most</option>
                <option value="namespaces">a box for each namespace</option>
                <option value="all">everything</option>
              </select>
            </label>
            <fieldset>
              <legend class="unseen">Kinds that are shown</legend>
              {there.map((kind) => (
                <label key={kind}>
                  <input
                    type="checkbox"
                    checked={kinds.has(kind)}
                    onChange={() => setKinds(new Set(kinds.has(kind) ? [...kinds].filter((one) => one !== kind) : [...kinds, kind]))}
                  />
                  <Glyph kind={kind} /> {kind}
                </label>
              ))}
            </fieldset>
          </div>
          {found.length > 0 && found.length <= 12 && (
            <p class="filters">
              {found.map((one) => (
                <Choose key={one.id} one={one} choose={setSelected} />
              ))}
            </p>
          )}
          <div class={chosen ? "wiring chosen" : "wiring"}>
            {elements.length > 0 ? (
              <Picture elements={elements} selected={selected} stopped={stopped} choose={choose} />
            ) : (
              <p class="empty">Nothing of these kinds hangs on anything else, as far as the repository says.</p>
            )}
            <aside aria-live="polite">
              {chosen && (
                <>
                  <h3>Without {chosen.name}</h3>
                  {chosen.file && <code class="place">{where(chosen)}</code>}
                  <p>{spoken(stopped.length)}</p>
                  <ul>
                    {stopped.slice(0, 60).map((id) => {
                      const one = by.get(id);
                      return one ? (
                        <li key={id}>
                          <Choose one={one} choose={setSelected} />
                        </li>
                      ) : null;
                    })}
                    {stopped.length > 60 && <li class="faint">and {stopped.length - 60} more</li>}
                  </ul>
                  <p class="filters">
                    {at.length > 0 && (
                      <button type="button" onClick={() => ask({ only: { what: chosen.name, fingerprints: at } })}>
                        {at.length === 1 ? "What was found at it" : `${at.length} findings at it`}
                      </button>
                    )}
                    <button type="button" onClick={() => setSelected(null)}>
                      Clear
                    </button>
                  </p>
                </>
              )}
            </aside>
          </div>
          <ul class="legend" hidden={elements.length === 0}>
            {CLASSES.map((name) => (
              <li key={name} class={name}>
                {CLASS_NAMES[name]}
              </li>
            ))}
            <li class="faint">colours: the worst that was found there</li>
          </ul>
          <details hidden={heavy.length === 0}>
            <summary>The same as a table</summary>
            <div class="wide" tabIndex={0} role="region" aria-label="What most depends on">
              <table>
                <thead>
                  <tr>
                    <th scope="col">What</th>
                    <th scope="col">Kind</th>
                    <th scope="col">Depend on it</th>
                    <th scope="col">Where</th>
                  </tr>
                </thead>
                <tbody>
                  {heavy.slice(0, 200).map((one) => (
                    <tr key={one.id}>
                      <th scope="row">
                        <Choose one={one} choose={setSelected} />
                      </th>
                      <td>{one.kind}</td>
                      <td class="number">{one.dependants}</td>
                      <td>
                        <code class="place">{where(one)}</code>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </section>
  );
}

function spoken(stopped: number): string {
  if (stopped === 0) return "Nothing else stops, as far as the repository says.";
  return stopped === 1 ? "1 other stops:" : `${stopped} others stop:`;
}

function Choose({ one, choose }: { one: Thing; choose: (id: string) => void }) {
  return (
    <button type="button" class="link" onClick={() => choose(one.id)}>
      {one.name}
    </button>
  );
}

/** What a finding's resource is called in the wiring. */
function nameOf(resource: { kind: string; namespace: string; name: string }): string {
  return `${resource.kind} ${resource.namespace ? `${resource.namespace}/` : ""}${resource.name}`;
}

/** The fingerprints of what was found at a thing. */
function foundAt(dossier: Dossier, name: string): string[] {
  return dossier.account.findings.filter((one) => one.resource && nameOf(one.resource) === name).map((one) => one.fingerprint);
}

/** The worst consequence that was found at each thing. */
function worstOf(dossier: Dossier): Map<string, Consequence> {
  const names = new Map(dossier.graph.things.map((one) => [one.name, one.id]));
  const found = new Map<string, Consequence>();
  for (const one of dossier.account.findings) {
    if (!one.resource || one.severity === "low") continue;
    const id = names.get(nameOf(one.resource));
    if (id === undefined) continue;
    const before = found.get(id);
    if (before === undefined || CLASSES.indexOf(one.class) < CLASSES.indexOf(before)) found.set(id, one.class);
  }
  return found;
}
