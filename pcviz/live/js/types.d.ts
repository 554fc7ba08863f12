// Shapes that the scripts share, for `make lint` alone: no browser loads this file. Headings name the Python modules.

// ---- values and frames (pcviz/frames.py, pcviz/live/hub.py)

type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;
/** Row-major. */
type Tensor = { data: Numbers; shape: number[] };
type Value = number | Tensor;
/** A value as a frame carries it. null: a number that is not finite. */
type Packed = number | null | { dtype: "float32" | "float64" | "int32" | "uint8"; shape: number[]; base64: string };
/** Channel -> value, and where the frame was made: step, inference_step, epoch, seconds. */
type Values = Record<string, Value>;

/** Where an event belongs. */
interface Place {
  run: string;
  parent: string | null;
  kind: string;
  generation: number;
}

interface Frame<V = Value> extends Place {
  seq: number;
  step: number;
  inference_step: number;
  epoch: number;
  seconds: number;
  values: Record<string, V>;
  /** Whether it comes from a recording, not from a run of the page. */
  recorded?: boolean;
}

/** The state shown of a run, or before there is any. */
interface State {
  state: string;
  device?: string | null;
  message?: string | null;
}

interface RunState extends Place, State {
  step: number;
  steps: number;
}

// ---- figures (pcviz/figures/bindings.py and panel.py)

type Attribute = "x" | "y" | "z" | "text";

interface Smoothing {
  steps: number;
  at: string;
  log: boolean;
}

interface Binding extends Partial<Record<Attribute, string>> {
  run: number;
  kind: string;
  index?: number;
  row?: "last" | "scrub";
  where?: { channel: string; equals: number };
  transpose: boolean;
  transform?: "log10" | Smoothing;
  zero?: "omit" | "only";
  mode: "append" | "replace";
  keep: number;
}

/** What a trace gets of a frame; `at`: the weight steps of values to be smoothed. */
type Got<V = Value> = Partial<Record<Attribute | "at", V>>;

interface PanelSpec {
  name: string;
  view: "plot" | "network" | "examples";
  front: boolean;
  rows: string[];
  title: string;
  figure: string;
  alt: string;
  help: string;
  csv: CsvColumn[];
  table: "history" | "latest";
  scrub: string | null;
  cursor: string | null;
  cursor_axes: string[];
  trail: string[] | null;
  idle: string;
  waiting: string;
  ended: string;
  absent: string | null;
  note: string | null;
  toggles: { label: string; help: string; relayout: Record<string, [off: unknown, on: unknown]> }[];
  pick: boolean;
  link: string | null;
  space: boolean;
  bare: boolean;
}

/** A control in a panel's header; without `options` a switch. */
interface Choice {
  key: string;
  label: string;
  help: string;
  value: unknown;
  options: [value: unknown, label: string][] | null;
  disabled: boolean;
}

type CsvColumn = [channel: string, heading: string, parts: string[] | null];
type Row = { run: string; values: Record<string, Tensor> };
type Latest = Record<string, { run: string; step: number; value: Value }>;

// ---- the page (pcviz/ui/panels.py)

interface Metric {
  label: string;
  value: string | string[];
  help: string;
  progress?: [part: string, whole: string];
}

interface Payload {
  plotly: string;
  runs: string[];
  keep: Record<string, string>;
  panels: PanelSpec[];
  /** Name of a panel -> the controls in its header. */
  choices: Record<string, Choice[]>;
  metrics: Metric[];
  about: string;
  /** Role -> colour, as "#RRGGBB". */
  colours: Record<string, string>;
  /** State of the first run -> templates. */
  story: Record<string, string[]>;
  /** Templates of what is wrong: those with known values are shown. */
  signs?: string[];
  nonce: number | string;
  scrub: { channel: string } | null;
  /** Whether a slider over weight steps stands above the panels, and at which step the server shows what follows the
   *  weights (null: at the latest). */
  timeline: false | { at: number | null };
  /** Name of the recording that is shown while there is no run. */
  recorded: string | null;
  /** Whether it is shown on a projector. */
  present: boolean;
}

/** What a panel reports of a click: JSON, as Plotly has it. */
type Point = { panel: string; x: unknown; y: unknown };
/** What the timeline asks for: a replay up to a weight step (0: none), and the network view at one (null: at the latest). */
type Wanted = { until: number | undefined; at: number | null };
type Tell = (name: string, value: unknown) => void;

/** What Streamlit passes to a component's script. */
interface Call<Data> {
  data: Data;
  parentElement: HTMLElement;
  setTriggerValue: Tell;
  setStateValue: Tell;
}

type Live = import("./live.js").Live;
type Panel = import("./panel.js").Panel;
type Colour = (role: string) => string;

// ---- Plotly, as far as it is used. Its own types know neither `_fullLayout` nor a figure that is still being made.

type Ends = [low: number, high: number];
// biome-ignore lint/suspicious/noExplicitAny: whatever Plotly takes
type Layout = any;
// biome-ignore lint/suspicious/noExplicitAny: whatever Plotly draws
type Drawn = any;

interface Trace {
  meta?: Binding;
  type: string;
  mode?: string;
  x: Drawn;
  y: Drawn;
  z: Drawn;
  customdata: Drawn;
  line: Drawn;
  marker: Drawn;
  colorbar?: Drawn;
  xaxis?: string;
  yaxis?: string;
}

interface Figure {
  data: Trace[];
  layout: Layout;
}

interface Plot extends HTMLDivElement {
  layout: Layout;
  _fullLayout?: Layout;
  // biome-ignore lint/suspicious/noExplicitAny: each event of Plotly has a shape of its own
  on(event: string, act: (event: any) => void): void;
}

interface Plotly {
  newPlot(plot: Plot, data: Trace[], layout: Layout, config: object): Promise<unknown>;
  react(plot: Plot, data: Trace[], layout: Layout): Promise<unknown>;
  relayout(plot: Plot, change: Record<string, unknown>): Promise<unknown>;
  downloadImage(figure: Figure, options: object): Promise<unknown>;
  purge(plot: Plot): void;
}

// ---- what scripts leave in the page, and what stands before loader.js

declare const whyNot: typeof import("./why.js").whyNot;

interface Window {
  Plotly: Plotly;
  pcvizHistory?: boolean;
  pcvizKeys?: AbortController;
  pcvizMemory?: Map<string, string>;
  pcvizNarrow?: MediaQueryList;
}
