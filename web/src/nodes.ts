import type { ElementDefinition } from "cytoscape";
import { CLASSES, type Consequence, type Dossier, grouped, type Thing } from "./data";

/** How much is drawn: what most hangs on and what is worst, a box for each namespace, or everything. */
export type View = "most" | "namespaces" | "all";

interface Asked {
  graph: Dossier["graph"];
  kinds: ReadonlySet<string>;
  view: View;
  /** Namespaces that are not folded. */
  opened: ReadonlySet<string>;
  worst: ReadonlyMap<string, Consequence>;
}

const HEAVIEST = 18;
const WORST = 10;
const SHAPES: Record<string, string> = {
  "way in": "round-tag",
  middleware: "round-hexagon",
  service: "ellipse",
  database: "barrel",
  volume: "bottom-round-rectangle",
  server: "round-octagon",
  config: "rectangle",
};
const BOX = "box ";

/** The namespace that a box stands for, or undefined for a thing. */
export function boxed(id: string): string | undefined {
  return id.startsWith(BOX) ? id.slice(BOX.length) : undefined;
}

/** What is drawn: things of the wanted kinds, those that are not drawn alone as one box for each namespace. */
export function elementsOf({ graph, kinds, view, opened, worst }: Asked): ElementDefinition[] {
  const shown = graph.things.filter((one) => kinds.has(one.kind));
  const alone = drawnAlone(shown, view, opened, worst);
  const place = new Map(shown.map((one) => [one.id, alone.has(one.id) ? one.id : BOX + (one.namespace || one.kind)]));
  const edges = edgesOf(graph, place);
  const joined = new Set(edges.flatMap((edge) => [edge.data.source as string, edge.data.target as string]));
  const nodes = [...grouped(shown, (one) => place.get(one.id) ?? one.id)]
    .map(([id, members]) => nodeOf(id, members, worst, view))
    .filter((node) => joined.has(node.data.id as string) || (view !== "all" && node.data.worst !== ""));
  return [...nodes, ...edges];
}

function drawnAlone(shown: Thing[], view: View, opened: ReadonlySet<string>, worst: ReadonlyMap<string, Consequence>): Set<string> {
  if (view === "all") return new Set(shown.map((one) => one.id));
  const alone = shown.filter((one) => opened.has(one.namespace || one.kind) || (view === "namespaces" && !one.namespace));
  if (view === "most") {
    const heavy = shown.filter((one) => one.dependants > 0).sort((a, b) => b.dependants - a.dependants);
    const bad = shown.filter((one) => worst.get(one.id) === "data-loss" || worst.get(one.id) === "takeover");
    bad.sort((a, b) => b.dependants - a.dependants);
    alone.push(...heavy.slice(0, HEAVIEST), ...bad.slice(0, WORST));
  }
  return new Set(alone.map((one) => one.id));
}

/** Who needs whom among what is drawn; kinds that are not shown are stepped over. */
function edgesOf(graph: Dossier["graph"], place: ReadonlyMap<string, string>): ElementDefinition[] {
  const needs = grouped(graph.links, (link) => link.source);
  const joined = new Set<string>();
  const edges: ElementDefinition[] = [];
  for (const [start, source] of place) {
    const waiting = [start];
    const passed = new Set(waiting);
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      for (const { target: next } of needs.get(at) ?? []) {
        const target = place.get(next);
        if (target === undefined && !passed.has(next)) {
          passed.add(next);
          waiting.push(next);
        }
        const key = `${source}\n${target}`;
        if (target === undefined || target === source || joined.has(key)) continue;
        joined.add(key);
        edges.push({ data: { source, target } });
      }
    }
  }
  return edges;
}

function nodeOf(id: string, members: Thing[], worst: ReadonlyMap<string, Consequence>, view: View): ElementDefinition {
  const found = members.map((one) => worst.get(one.id));
  const namespace = boxed(id);
  const first = members[0];
  const name = first?.name ?? id;
  const more = view === "most" ? `${members.length} more` : `${members.length}`;
  return {
    data: {
      id,
      label: namespace === undefined ? name.slice(name.lastIndexOf("/") + 1) : `${namespace} (${more})`,
      shape: namespace === undefined ? (SHAPES[first?.kind ?? ""] ?? "round-rectangle") : "round-rectangle",
      worst: CLASSES.find((one) => found.includes(one)) ?? "",
      members: members.map((one) => one.id),
      ...(namespace === undefined ? {} : { box: true }),
    },
  };
}
