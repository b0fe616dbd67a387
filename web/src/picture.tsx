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
      core.current = draw(holder, elements, (id) => choose.current(id));
      mark(core.current, props.selected, props.stopped);
    };
    const seen = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) make();
    });
    seen.observe(holder);
    const idle = setTimeout(make, IDLE);
    return () => {
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
      <div ref={target} class="canvas" role="img" aria-label="The wiring as a picture; the table below says the same" />
      <div class="zoom">
        <button type="button" aria-label="Nearer" onClick={() => zoom(1.4)}>
          +
        </button>
        <button type="button" aria-label="Further" onClick={() => zoom(1 / 1.4)}>
          −
        </button>
        <button type="button" aria-label="All of it" onClick={() => core.current?.fit(undefined, 16)}>
          ⤢
        </button>
      </div>
    </div>
  );
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
          "font-size": 13,
          "font-family": "system-ui, sans-serif",
          color: colour("--ink"),
          "background-color": colour("--card"),
          "border-width": 1.5,
          "border-color": colour("--faint"),
          width: (node: cytoscape.NodeSingular) => 22 + 7.6 * String(node.data("label")).length,
          height: 28,
          "min-zoomed-font-size": 5,
        },
      },
      { selector: "node[box]", style: { "border-style": "dashed", color: colour("--faint") } },
      ...CLASSES.map((name) => ({
        selector: `node[worst = "${name}"]`,
        style: { "border-color": colour(`--${name}`), "border-width": 3 },
      })),
      {
        selector: "edge",
        style: {
          width: 1,
          "line-color": colour("--line"),
          "target-arrow-color": colour("--faint"),
          "target-arrow-shape": "triangle",
          "arrow-scale": 0.7,
          "curve-style": "bezier",
        },
      },
      { selector: ".far", style: { opacity: 0.25 } },
      { selector: "node.stopped", style: { "background-color": colour("--bad-back") } },
      { selector: "node.chosen", style: { "background-color": colour("--accent"), color: colour("--card") } },
      { selector: "edge.stopped", style: { "line-color": colour("--bad"), width: 2 } },
    ],
    layout: { name: "dagre", rankDir: "LR", nodeSep: 6, rankSep: 90, fit: true, padding: 16 } as never,
  });
  drawn.on("tap", "node", (event) => choose(event.target.id() as string));
  drawn.on("tap", (event) => {
    if (event.target === drawn) choose(null);
  });
  return drawn;
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
  if (near.nonempty()) drawn.fit(near, 40);
  // One box alone would fill the picture.
  if (drawn.zoom() > 1.3) drawn.zoom({ level: 1.3, position: near.first().position() });
}
