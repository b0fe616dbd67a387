import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Asked, CLASSES, CLASS_NAMES, CLASS_WORDS, type Dossier, EVERYTHING, type Finding, grouped, SEVERITIES, titled } from "./data";
import { Evidence, Mark, Place, Remedy } from "./finding";

const PAGE = 50;
const UNPROVEN = "unproven";

interface Props {
  dossier: Dossier;
  asked: Asked;
  change: (asked: Asked) => void;
}

export function Findings({ dossier, asked, change }: Props) {
  const search = useRef<HTMLInputElement>(null);
  useSlash(search);
  const every = useMemo(() => [...dossier.account.findings, ...dossier.account.unproven], [dossier]);
  const unproven = useMemo(() => new Set(dossier.account.unproven), [dossier]);
  const namespaces = useMemo(() => [...new Set(every.map((one) => one.resource?.namespace ?? ""))].filter(Boolean).sort(), [every]);
  const searched = asked.words.trim() !== "";
  const texts = useMemo(
    () =>
      searched
        ? every.map((one) => `${one.concern} ${titled(dossier, one.concern)} ${one.subject} ${one.message} ${one.file} ${one.fingerprint}`.toLowerCase())
        : [],
    [every, searched],
  );
  const found = useMemo(() => {
    const wanted = asked.words.toLowerCase().split(/\s+/).filter(Boolean);
    const only = asked.only && new Set(asked.only.fingerprints);
    return every.filter((one, index) => {
      if (asked.severity && one.severity !== asked.severity) return false;
      if (asked.kind && one.class !== asked.kind) return false;
      if (asked.namespace && one.resource?.namespace !== asked.namespace) return false;
      if (only && !only.has(one.fingerprint)) return false;
      return wanted.every((word) => texts[index]?.includes(word));
    });
  }, [every, texts, asked]);
  const groups = grouped(found, (one) => (unproven.has(one) ? UNPROVEN : one.class));
  const set = (wish: Partial<Asked>) => change({ ...asked, ...wish });
  return (
    <section id="findings" aria-labelledby="findings-title">
      <h2 id="findings-title">Findings</h2>
      <div class="filters" role="search">
        <label>
          Search <input ref={search} type="search" placeholder="press /" value={asked.words} onInput={(event) => set({ words: event.currentTarget.value })} />
        </label>
        <Choice name="Severity" value={asked.severity} set={(severity) => set({ severity })} options={SEVERITIES.map((one) => [one, one])} />
        <Choice name="Consequence" value={asked.kind} set={(kind) => set({ kind })} options={CLASSES.map((one) => [one, CLASS_NAMES[one]])} />
        <Choice name="Namespace" value={asked.namespace} set={(namespace) => set({ namespace })} options={namespaces.map((one) => [one, one])} />
        <span role="status" class="faint">
          {found.length} of {every.length}
        </span>
        {found.length < every.length && (
          <button type="button" onClick={() => change(EVERYTHING)}>
            Clear filters
          </button>
        )}
        {asked.only && <span class="only">{asked.only.what}</span>}
      </div>
      {found.length === 0 && <p class="empty">{every.length ? "Nothing fits these filters." : "Nothing was found."}</p>}
      {[...CLASSES, UNPROVEN].map((name) => {
        const some = groups.get(name);
        return some && <Class key={name} name={name} some={some} dossier={dossier} open={found.length <= 5} />;
      })}
    </section>
  );
}

/** The findings with one consequence, by concern. */
function Class(props: { name: string; some: Finding[]; dossier: Dossier; open: boolean }) {
  const { name, some, dossier } = props;
  const known = CLASSES.find((one) => one === name);
  return (
    <div class={`class ${name}`}>
      <h3>
        {known ? CLASS_NAMES[known] : "Not proven"} <span class="faint">{known ? CLASS_WORDS[known] : "not broken, and nobody has seen it work"}</span>
      </h3>
      {[...grouped(some, (one) => one.concern)].map(([concern, these]) => (
        <Concern key={`${concern} ${props.open}`} concern={concern} some={these} dossier={dossier} open={props.open} />
      ))}
    </div>
  );
}

/** A slash leads to the search, as elsewhere. */
function useSlash(search: { current: HTMLInputElement | null }) {
  useEffect(() => {
    const heard = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "")) return;
      event.preventDefault();
      search.current?.focus();
    };
    document.addEventListener("keydown", heard);
    return () => document.removeEventListener("keydown", heard);
  }, []);
}

/** On paper nothing can be opened, so everything is. */
function usePrinting(): boolean {
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    const begin = () => setPrinting(true);
    const end = () => setPrinting(false);
    addEventListener("beforeprint", begin);
    addEventListener("afterprint", end);
    return () => {
      removeEventListener("beforeprint", begin);
      removeEventListener("afterprint", end);
    };
  }, []);
  return printing;
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
  const { concern, some, dossier } = props;
  const [chosen, setChosen] = useState(props.open);
  const [most, setMost] = useState(PAGE);
  const printing = usePrinting();
  const opened = chosen || printing;
  const worst = some.reduce((a, b) => (SEVERITIES.indexOf(a.severity) <= SEVERITIES.indexOf(b.severity) ? a : b));
  const title = titled(dossier, concern);
  return (
    <details class="concern" open={opened} onToggle={(event) => !printing && setChosen(event.currentTarget.open)}>
      <summary>
        <Mark one={worst} />
        <span class="title">
          <b>{title}</b> {title !== concern && <code class="faint">{concern}</code>}
        </span>
        <span class="times">{some.length}</span>
      </summary>
      {opened && (
        <ul>
          {some.slice(0, most).map((one) => (
            <li key={one.fingerprint} id={`f-${one.fingerprint}`}>
              <p class="meta">
                {one.severity !== worst.severity && <Mark one={one} />} <b>{one.subject}</b> <Place one={one} />
              </p>
              <p>{one.message}</p>
              <p class="else">
                <b>If not:</b> {one.consequence}
              </p>
              <Remedy one={one} dossier={dossier} />
              <Evidence one={one} dossier={dossier} />
            </li>
          ))}
        </ul>
      )}
      {opened && some.length > most && (
        <button type="button" onClick={() => setMost(most + PAGE)}>
          {some.length - most} more: the next {Math.min(PAGE, some.length - most)}
        </button>
      )}
    </details>
  );
}
