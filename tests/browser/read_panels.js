// What Plotly has drawn in every panel: of each trace its name, axes and numbers.
async ({ panels, steps, sliders, row }) => {
  const until = async (/** @type {() => unknown} */ done) => {
    while (!done()) await new Promise((resolve) => setTimeout(resolve, 30));
  };
  const there = () => [...document.querySelectorAll("[data-panel]")];
  await until(() => there().length === panels);
  const sections = there();
  // A slider that moves before the first drawing saves one.
  const moved = sections.flatMap((section) => {
    const slider = section.querySelector("input[type=range]");
    return slider && sliders.includes(section.dataset.panel) ? [{ slider, plot: section.querySelector(".pcviz-plot"), before: Infinity }] : [];
  });
  await Promise.all(moved.map(async (one) => {
    const { slider, plot } = one;
    await until(() => !slider.disabled);
    one.before = plot.layout?.datarevision ?? 0;
    slider.value = row;
    slider.dispatchEvent(new Event("input"));
  }));
  await until(() => moved.every(({ plot, before }) => plot.layout?.datarevision > before));
  await until(() => sections.every(({ dataset: { panel, step } }) => step === (steps[panel] ?? "")));
  await new Promise((resolve) => setTimeout(resolve, 200)); // Plotly draws in several tasks

  const numbers = (/** @type {ArrayLike<any> | undefined} */ values) =>
    values && Array.from(values, (v) => (v?.length === undefined ? (Number.isFinite(v) ? v : null) : numbers(v)));
  const axis = (id, { title, type, ticktext, visible }, untitled) =>
    ({ id, type, title: title?.text === untitled ? null : title.text, ticks: visible && ticktext ? ticktext : null });
  const axes = ({ xaxis, yaxis, scene }, { _dfltTitle, ...layout }) => scene
    ? ["x", "y", "z"].map((id) => axis(id, layout[scene][`${id}axis`]))
    : [xaxis, yaxis].map((id) => axis(id, layout[`${id[0]}axis${id.slice(1)}`], _dfltTitle[id[0]]));
  return sections.map((section) => {
    const plot = section.querySelector(".pcviz-plot");
    const text = (query) => section.querySelector(query)?.textContent ?? "";
    const panel = { panel: section.dataset.panel, title: text("h3"), note: text(".pcviz-note"), waiting: text(".pcviz-waiting") };
    if (!plot._fullData) return { ...panel, traces: [] };
    return {
      ...panel,
      legend: [...plot.querySelectorAll(".legendtext")].map((label) => label.textContent),
      written: plot._fullLayout.annotations.map(({ text, xref, x }) => `${text} (${xref} ${x})`),
      traces: plot._fullData.map((trace) => ({
        name: trace._input.name ?? null,
        type: trace.type,
        hover: trace.hoverinfo === "skip" ? null : (trace.hovertemplate ?? null),
        colours: trace.colorbar?.title?.text ?? null,
        written: [...new Set([trace.texttemplate ?? trace.text ?? []].flat())].join(),
        axes: axes(trace, plot._fullLayout),
        data: Object.fromEntries(["x", "y", "z", "customdata"].filter((key) => trace[key]?.length && typeof trace[key][0] !== "string").map((key) => [key, numbers(trace[key])])),
      })),
    };
  });
}
