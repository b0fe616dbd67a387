import cytoscape, { type Core, type ElementDefinition } from "cytoscape";
import dagre from "cytoscape-dagre";
import { useEffect, useRef } from "preact/hooks";
import { CLASSES } from "./data";

cytoscape.use(dagre);

interface Props {
  elements: ElementDefinition[];
  selected: string | null;
  stopped: string[];
  choose: (id: string | null) => void;
}

const IDLE = 1500;
const LARGEST = 1.15;
const SMALLEST = 0.6;
/** With fewer nodes and edges than this a lower picture is enough. */
const FEW = 32;
const WIDE = 800;
/** Pixels that the list of what stops takes, and that stay free around what is in sight. */
const LIST = 325;
const MARGIN = 36;

/** The wiring drawn: when it comes into sight, or when the page has long been open, so that paper shows it too. */
export function Picture(props: Props) {
  const target = useRef<HTMLDivElement>(null);
  const core = useRef<Core | null>(null);
  const choose = useRef(props.choose);
  choose.current = props.choose;
  const { elements } = props;

  useEffect(() => {
    const holder = target.current;
    if (!holder) return;
    const make = () => {
      if (core.current) return;
      // A wheel scrolls the page; with Ctrl, or pinched, it zooms. Heard before Cytoscape hears it.
      holder.addEventListener("wheel", scrolled, { capture: true, passive: true });
      core.current = draw(holder, elements, (id) => choose.current(id));
      mark(core.current, props.selected, props.stopped);
    };
    const seen = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) make();
    });
    seen.observe(holder);
    const idle = setTimeout(make, IDLE);
    // A canvas keeps its size on paper, whatever the paper's: an image does not.
    const paper = new Image();
    const print = () => {
      make();
      paper.className = "paper";
      paper.alt = "The wiring";
      paper.src = core.current?.png({ full: true, scale: 2, maxWidth: 4000 }) ?? "";
      holder.after(paper);
    };
    const printed = () => paper.remove();
    addEventListener("beforeprint", print);
    addEventListener("afterprint", printed);
    return () => {
      removeEventListener("beforeprint", print);
      removeEventListener("afterprint", printed);
      paper.remove();
      holder.removeEventListener("wheel", scrolled, { capture: true });
      seen.disconnect();
      clearTimeout(idle);
      core.current?.destroy();
      core.current = null;
    };
  }, [elements]);

  useEffect(() => {
    if (core.current) mark(core.current, props.selected, props.stopped);
  }, [props.selected, props.stopped]);

  const zoom = (factor: number) => {
    const drawn = core.current;
    if (drawn) drawn.zoom({ level: drawn.zoom() * factor, renderedPosition: { x: drawn.width() / 2, y: drawn.height() / 2 } });
  };
  return (
    <div class="picture">
      <div ref={target} class={props.elements.length < FEW ? "canvas low" : "canvas"} role="img" aria-label="The wiring as a picture; the table below says the same" title="Drag to move; Ctrl and the wheel to zoom" />
      <div class="zoom">
        <button type="button" aria-label="Nearer" onClick={() => zoom(1.4)}>
          +
        </button>
        <button type="button" aria-label="Further" onClick={() => zoom(1 / 1.4)}>
          −
        </button>
        <button type="button" aria-label="All of it" onClick={() => core.current && whole(core.current)}>
          ⤢
        </button>
      </div>
    </div>
  );
}

function scrolled(event: WheelEvent) {
  if (!event.ctrlKey && !event.metaKey) event.stopImmediatePropagation();
}

function draw(holder: HTMLElement, elements: ElementDefinition[], choose: (id: string | null) => void): Core {
  const ink = getComputedStyle(document.documentElement);
  const colour = (name: string) => ink.getPropertyValue(name).trim();
  const drawn = cytoscape({
    container: holder,
    elements,
    minZoom: 0.05,
    maxZoom: 3,
    style: [
      {
        selector: "node",
        style: {
          label: "data(label)",
          shape: "data(shape)" as never,
          "text-valign": "center",
          "font-size": 14,
          "font-family": "system-ui, sans-serif",
          color: colour("--ink"),
          "background-color": colour("--card"),
          "border-width": 1.25,
          "border-color": colour("--rim"),
          width: (node: cytoscape.NodeSingular) => 24 + 7.9 * String(node.data("label")).length,
          height: 30,
          "min-zoomed-font-size": 5,
        },
      },
      { selector: `node[shape = "round-tag"]`, style: { "text-margin-x": -5, width: (node: cytoscape.NodeSingular) => 38 + 7.9 * String(node.data("label")).length } },
      { selector: "node[box]", style: { "border-style": "dashed", color: colour("--faint"), "background-color": colour("--page") } },
      ...CLASSES.map((name) => ({
        selector: `node[worst = "${name}"]`,
        style: { "border-color": colour(`--${name}`), "border-width": 2.5, "background-color": colour(`--${name}-back`), color: colour("--ink") },
      })),
      {
        selector: "edge",
        style: {
          width: 1.2,
          "line-color": colour("--rim"),
          "line-opacity": 0.55,
          "target-arrow-color": colour("--rim"),
          "target-arrow-shape": "triangle",
          "arrow-scale": 0.75,
          "curve-style": "unbundled-bezier",
          "source-endpoint": "90deg",
          "target-endpoint": "270deg",
          "control-point-weights": (edge: cytoscape.EdgeSingular) => bend(edge).weights,
          "control-point-distances": (edge: cytoscape.EdgeSingular) => bend(edge).distances,
        },
      },
      { selector: ".far", style: { opacity: 0.25 } },
      { selector: "node.stopped", style: { "background-color": colour("--bad-back") } },
      { selector: "node.chosen", style: { "background-color": colour("--accent"), color: colour("--card") } },
      { selector: "edge.stopped", style: { "line-color": colour("--bad"), "line-opacity": 0.9, "target-arrow-color": colour("--bad"), width: 2 } },
    ],
    layout: { name: "dagre", rankDir: "LR", nodeSep: 9, edgeSep: 1, rankSep: 80, fit: false } as never,
  });
  spread(drawn);
  legible(drawn);
  drawn.on("tap", "node", (event) => choose(event.target.id() as string));
  drawn.on("tap", (event) => {
    if (event.target === drawn) choose(null);
  });
  return drawn;
}

/** What matters in sight, beside the list that lies over the left of a wide picture. */
function beside(drawn: Core, box: { x1: number; y1: number; w: number; h: number }) {
  const left = drawn.width() > WIDE ? LIST : 0;
  const room = { w: drawn.width() - left, h: drawn.height() };
  const zoom = Math.min(LARGEST, (room.w - 2 * MARGIN) / box.w, (room.h - 2 * MARGIN) / box.h);
  const middle = { x: box.x1 + box.w / 2, y: box.y1 + box.h / 2 };
  drawn.viewport({ zoom, pan: { x: left + room.w / 2 - zoom * middle.x, y: room.h / 2 - zoom * middle.y } });
}

/** An edge leaves to the right and comes in from the left: its two control points, in Cytoscape's terms. */
function bend(edge: cytoscape.EdgeSingular): { weights: string; distances: string } {
  const from = edge.source().position();
  const to = edge.target().position();
  const [dx, dy] = [to.x - from.x - (edge.source().width() + edge.target().width()) / 2, to.y - from.y];
  const length = dx * dx + dy * dy;
  if (dx <= 0 || length < 1) return { weights: "0.5", distances: "0" };
  const weight = (0.5 * dx * dx) / length;
  const distance = (-0.5 * dx * dy) / Math.sqrt(length);
  return { weights: `${weight} ${1 - weight}`, distances: `${distance} ${-distance}` };
}

/** As wide as the room is, where the layers would stand closer than they need to. */
function spread(drawn: Core) {
  const box = drawn.nodes().boundingBox({});
  const factor = Math.min(2.2, (box.h * drawn.width()) / (drawn.height() * box.w));
  if (factor > 1) drawn.nodes().positions((node) => ({ x: node.position().x * factor, y: node.position().y }));
}

/** All of it in sight, but never so large that few things fill the room. */
function whole(drawn: Core) {
  drawn.fit(undefined, 20);
  if (drawn.zoom() > LARGEST) {
    drawn.zoom(LARGEST);
    drawn.center();
  }
}

/** At first as much of it as can be read: on a small screen what most hangs on, and the rest by dragging. */
function legible(drawn: Core) {
  whole(drawn);
  if (drawn.zoom() >= SMALLEST || drawn.nodes().empty()) return;
  const hub = drawn.nodes().max((node) => node.indegree(false)).ele;
  const { x, y } = hub.position();
  // What needs it lies to its left.
  drawn.viewport({ zoom: SMALLEST, pan: { x: drawn.width() * 0.7 - SMALLEST * x, y: drawn.height() / 2 - SMALLEST * y } });
}

function mark(drawn: Core, selected: string | null, stopped: string[]) {
  const lost = new Set(stopped);
  drawn.batch(() => {
    drawn.elements().removeClass("far stopped chosen");
    if (!selected) return;
    drawn.nodes().forEach((node) => {
      const members = node.data("members") as string[];
      if (node.id() === selected || members.includes(selected)) node.addClass("chosen");
      else if (members.some((one) => lost.has(one))) node.addClass("stopped");
      else node.addClass("far");
    });
    drawn.edges().forEach((edge) => {
      const ends = edge.source().hasClass("far") || edge.target().hasClass("far");
      edge.addClass(ends ? "far" : "stopped");
    });
  });
  const near = drawn.nodes(".chosen, .stopped");
  if (near.nonempty()) beside(drawn, near.boundingBox({}));
}
