// What the page is given, as src/shoreup/report/dossier.py writes it.

export type Severity = "critical" | "high" | "medium" | "low";
export type Consequence = "data-loss" | "takeover" | "outage" | "hygiene";
export type Standing = "good" | "weak" | "trouble" | "open" | "none";

export interface Fix {
  title: string;
  safety: "safe" | "unsafe" | "shown" | "operate";
  reason: string;
}

export interface Finding {
  rank: number;
  concern: string;
  severity: Severity;
  confidence: "certain" | "likely";
  class: Consequence;
  category: string;
  subject: string;
  message: string;
  consequence: string;
  file: string;
  line: number;
  resource: { kind: string; namespace: string; name: string; container: string } | null;
  related: { file: string; line: number; note: string }[];
  fingerprint: string;
  fixes: Fix[];
  dependants: number;
}

export interface Account {
  version: string;
  estate: string[];
  findings: Finding[];
  unproven: Finding[];
  known: Finding[];
  suppressed: (Finding & { until: string | null; where: { file: string; line: number } } & { reason: string })[];
  undecided: { concern: string; file: string; line: number; unknown: string; reason: string }[];
  notices: { file: string; line: number; message: string }[];
  errors: { file: string; line: number; cause: string; skipped: string }[];
  coverage: { files: Record<string, number>; resources: Record<string, number>; roots: number };
}

export interface Cell {
  standing: Standing;
  note: string;
  fingerprints: string[];
}

export interface Service {
  namespace: string;
  name: string;
  kind: string;
  tier: string;
  dependants: number;
  things: string[];
  cells: Record<string, Cell>;
}

export interface Thing {
  id: string;
  kind: string;
  name: string;
  namespace: string;
  file: string;
  line: number;
  dependants: number;
}

export interface Link {
  source: string;
  target: string;
  how: string;
  note: string;
}

export interface Proof {
  id: string;
  drill: string;
  subject: string;
  verdict: "pass" | "fail" | "could-not-verify";
  claim: string;
  engine: { product: string; version: string; stands_in_for: string };
  control: { what: string; refused: boolean | null };
  before: string;
  after: string;
  measurements: { name: string; value: number; unit: string }[];
  limits: string[];
  taken: string;
  expires: string;
}

export interface Applied {
  fingerprint: string;
  title: string;
  safety: string;
  reason: string;
  impact: string;
  cost: string;
  files: string[];
}

export interface Dossier {
  made: string;
  account: Account;
  first: { fingerprint: string; count: number }[];
  titles: Record<string, string>;
  traits: string[];
  services: Service[];
  graph: { things: Thing[]; links: Link[] };
  proofs: Proof[];
  aims: Record<string, { rto: number | null; rpo: number | null }>;
  fixes: {
    applied: Applied[];
    not_fixed: Record<string, { reason: string; text: string }>;
    diffs: { file: string; diff: string }[];
    written: string[];
    before: Record<string, number>;
    after: Record<string, number>;
  } | null;
}

export const SEVERITIES: Severity[] = ["critical", "high", "medium", "low"];
export const CLASSES: Consequence[] = ["data-loss", "takeover", "outage", "hygiene"];
export const CLASS_NAMES: Record<Consequence, string> = {
  "data-loss": "Data loss",
  takeover: "Takeover",
  outage: "Outage",
  hygiene: "Hygiene",
};
/** What each means to whom it happens. */
export const CLASS_WORDS: Record<Consequence, string> = {
  "data-loss": "gone for good",
  takeover: "somebody else inside",
  outage: "something stops",
  hygiene: "makes the rest likelier",
};
export const TRAIT_NAMES: Record<string, string> = {
  "backed-up": "Backed up",
  restored: "Restore proven",
  pinned: "Pinned",
  probed: "Probes",
  budgeted: "Budget",
  scoped: "Scoped rights",
  "not-single": "No single point",
};
export const STANDING_NAMES: Record<Standing, string> = {
  good: "yes",
  weak: "yes, with trouble",
  trouble: "no",
  open: "not known",
  none: "does not apply",
};

export function read(): Dossier {
  const island = document.getElementById("dossier");
  return JSON.parse(island?.textContent ?? "null") as Dossier;
}

/** Which findings are asked for, by whatever was clicked. */
export interface Asked {
  words: string;
  severity: string;
  kind: string;
  namespace: string;
  /** Exactly these, and whose they are. */
  only: { what: string; fingerprints: string[] } | null;
}

export const EVERYTHING: Asked = { words: "", severity: "", kind: "", namespace: "", only: null };

export type Ask = (wish: Partial<Asked>) => void;

/** The concern in words, or its id where it has none. */
export function titled(dossier: Dossier, concern: string): string {
  return dossier.titles[concern] ?? concern;
}

/** How many of each severity, those that are there, the worst first. */
export function counted(some: { severity: Severity }[]): [Severity, number][] {
  return SEVERITIES.map((name): [Severity, number] => [name, some.filter((one) => one.severity === name).length]).filter(([, count]) => count);
}

export function where(one: { file: string; line: number }): string {
  return one.line ? `${one.file}:${one.line}` : one.file;
}

export function grouped<T>(all: Iterable<T>, key: (one: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const one of all) {
    const name = key(one);
    const there = found.get(name);
    if (there) there.push(one);
    else found.set(name, [one]);
  }
  return found;
}

/** What else stops when some things are gone: a service goes on while one of its workloads is left. */
export function without(links: Link[], gone: string[]): string[] {
  const needed = grouped(links, (link) => link.target);
  const left = new Map<string, number>();
  for (const link of links) if (link.how === "answers") left.set(link.source, (left.get(link.source) ?? 0) + 1);
  const lost = new Set(gone);
  const stopped: string[] = [];
  const waiting = [...gone];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const link of needed.get(next) ?? []) {
      if (lost.has(link.source)) continue;
      if (link.how === "answers") {
        const rest = (left.get(link.source) ?? 0) - 1;
        left.set(link.source, rest);
        if (rest > 0) continue;
      }
      lost.add(link.source);
      stopped.push(link.source);
      waiting.push(link.source);
    }
  }
  return stopped;
}
