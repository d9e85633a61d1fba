"use strict";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const dark = matchMedia("(prefers-color-scheme: dark)");
const tip = document.getElementById("tip");
const picture = document.getElementById("atlas-picture");
const atlas = picture && read("atlas-data");

// Show the label, path and picture of a photo beside the pointer.
function showTip(x, y, label, path, cell) {
  const [photo, name, text] = tip.children;
  photo.style.display = cell >= 0 ? "" : "none";
  if (cell >= 0) {
    const side = 144, rows = Math.ceil(atlas.paths.length / atlas.columns);
    photo.style.cssText = `width:${side}px;height:${side}px;`
      + `background-size:${side * atlas.columns}px ${side * rows}px;`
      + `background-position:${-side * (cell % atlas.columns)}px ${-side * Math.floor(cell / atlas.columns)}px`;
    photo.style.backgroundImage = `url(${pictureUrl})`;
  }
  name.textContent = label;
  text.textContent = path;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
  const top = Math.min(y + 16, innerHeight - box.height - 8);
  tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
}
const hideTip = () => { tip.hidden = true; };

// A short URL of the picture: browsers parse a long one at each use.
let pictureUrl = "";
if (picture) {
  const bytes = Uint8Array.from(atob(picture.src.split(",")[1]), (char) => char.charCodeAt(0));
  pictureUrl = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
}

function drawFigures() {
  const isColour = (key) => /color$/i.test(key);
  const themed = JSON.parse(document.getElementById("figures").textContent, (key, value) => {
    if (isColour(key) && typeof value === "string" && value[0] === "@") return colour(value.slice(1));
    if (key === "colorscale") return value.map(([at, name]) => [at, colour(name.slice(1))]);
    return value;
  });
  const axis = { gridcolor: colour("line"), zerolinecolor: colour("line"), linecolor: colour("line"), automargin: true };
  const withAxis = (own = {}) => ({ ...axis, ...own, title: { standoff: 12, ...own.title } });
  for (const [id, figure] of Object.entries(themed)) {
    const element = document.getElementById(id);
    const layout = {
      paper_bgcolor: "transparent",
      plot_bgcolor: "transparent",
      margin: { l: 56, r: 16, t: 16, b: 48 },
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("text") },
      hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("text") } },
      ...figure.layout,
      xaxis: withAxis(figure.layout.xaxis),
      yaxis: withAxis(figure.layout.yaxis),
    };
    const config = { responsive: true, displaylogo: false, displayModeBar: false, scrollZoom: false, showLink: false };
    if (id === "map-figure") Object.assign(config, { displayModeBar: true, modeBarButtons: [["zoomIn2d", "zoomOut2d", "resetScale2d"]] });
    Plotly.react(element, figure.data, layout, config);
    if (id === "map-figure" && !element.dataset.ready) {
      element.dataset.ready = "yes";
      element.on("plotly_hover", ({ points, event }) => {
        const [path, label, cell] = points[0].customdata;
        showTip(event.clientX, event.clientY, label, path, cell);
      });
      element.on("plotly_unhover", hideTip);
    }
  }
}

function startAtlas() {
  const canvas = document.getElementById("atlas-canvas"), context = canvas.getContext("2d");
  const count = atlas.paths.length, columns = atlas.columns, rows = Math.ceil(count / columns);
  const chosen = new Set();
  let width = 0, height = 0, fit = 1, scale = 1, left = 0, top = 0, hovered = -1;

  // One grid cell has a side of 1; `scale` is in pixels, (left, top) is the corner.
  function clamp() {
    scale = Math.min(Math.max(scale, fit), Math.max(fit, 320));
    const place = (at, cells, length) => cells * scale <= length
      ? (cells - length / scale) / 2
      : Math.min(Math.max(at, 0), cells - length / scale);
    left = place(left, columns, width);
    top = place(top, rows, height);
  }
  function draw() {
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const gap = Math.max(0.4, scale * 0.03), frame = Math.max(0.5, scale * 0.05), inner = scale - 2 * gap;
    if (inner < 2 * frame + 1) return;
    const first = { x: Math.max(0, Math.floor(left)), y: Math.max(0, Math.floor(top)) };
    for (let row = first.y; row < Math.min(rows, top + height / scale); row++) {
      for (let column = first.x; column < Math.min(columns, left + width / scale); column++) {
        const i = row * columns + column;
        if (i >= count) continue;
        const x = (column - left) * scale + gap, y = (row - top) * scale + gap;
        const label = atlas.labels[i];
        context.globalAlpha = !chosen.size || chosen.has(label) ? 1 : 0.12;
        context.fillStyle = atlas.legend[label][1];
        context.beginPath();
        context.roundRect(x, y, inner, inner, inner * 0.14);
        context.fill();
        context.save();
        context.beginPath();
        context.roundRect(x + frame, y + frame, inner - 2 * frame, inner - 2 * frame, inner * 0.09);
        context.clip();
        context.drawImage(picture, column * atlas.side, row * atlas.side, atlas.side, atlas.side,
          x + frame, y + frame, inner - 2 * frame, inner - 2 * frame);
        context.restore();
        if (i === hovered) {
          context.strokeStyle = colour("text");
          context.lineWidth = 2;
          context.beginPath();
          context.roundRect(x, y, inner, inner, inner * 0.14);
          context.stroke();
        }
      }
    }
    context.globalAlpha = 1;
    canvas.dataset.drawn = "yes";
  }
  function resize() {
    const wasAll = scale <= fit;
    const ratio = devicePixelRatio || 1;
    canvas.style.aspectRatio = `${columns} / ${rows}`;
    ({ width, height } = canvas.getBoundingClientRect());
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    fit = Math.min(width / columns, height / rows);
    if (wasAll) scale = fit;
    clamp();
    draw();
  }
  function zoom(factor, x, y) {
    const column = left + x / scale, row = top + y / scale;
    scale *= factor;
    scale = Math.min(Math.max(scale, fit), Math.max(fit, 320));
    left = column - x / scale;
    top = row - y / scale;
    canvas.style.touchAction = scale > fit ? "none" : "pan-y";
    clamp();
    draw();
  }
  const cellAt = (x, y) => {
    const column = Math.floor(left + x / scale), row = Math.floor(top + y / scale);
    const i = row * columns + column;
    return column >= 0 && column < columns && row >= 0 && i < count ? i : -1;
  };
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
  }, { passive: false });
  canvas.addEventListener("dblclick", (event) => zoom(2, event.offsetX, event.offsetY));
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === "+" || event.key === "-") zoom(event.key === "+" ? 1.6 : 0.625, width / 2, height / 2);
    else if (steps[event.key] && scale > fit) { left += steps[event.key][0]; top += steps[event.key][1]; clamp(); draw(); event.preventDefault(); }
  });
  const pointers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    if (scale > fit) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId), now = [event.offsetX, event.offsetY];
    if (before && scale > fit) {
      const other = [...pointers].find(([id]) => id !== event.pointerId);
      if (other) {
        const distance = (point) => Math.hypot(point[0] - other[1][0], point[1] - other[1][1]);
        zoom(distance(now) / Math.max(1, distance(before)), ...other[1]);
      } else {
        left -= (now[0] - before[0]) / scale;
        top -= (now[1] - before[1]) / scale;
        clamp();
      }
    }
    if (before) pointers.set(event.pointerId, now);
    hovered = cellAt(...now);
    if (hovered >= 0) showTip(event.clientX, event.clientY, atlas.legend[atlas.labels[hovered]][0], atlas.paths[hovered], hovered);
    else hideTip();
    draw();
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
    canvas.addEventListener(name, (event) => {
      pointers.delete(event.pointerId);
      if (name !== "pointerup") { hovered = -1; hideTip(); draw(); }
    });
  }
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => zoom(Number(button.dataset.zoom) || 1e-9, width / 2, height / 2));
  }
  const chips = [...document.querySelectorAll("#atlas-legend button")];
  chips.forEach((chip, label) => chip.addEventListener("click", () => {
    if (!chosen.delete(label)) chosen.add(label);
    chip.setAttribute("aria-pressed", chosen.has(label));
    draw();
  }));
  document.getElementById("atlas-search")?.addEventListener("input", (event) => {
    const text = event.target.value.toLowerCase();
    chips.forEach((chip) => { chip.hidden = !chip.title.toLowerCase().includes(text); });
  });
  dark.addEventListener("change", draw);
  new ResizeObserver(resize).observe(canvas);
  resize();
}

drawFigures();
dark.addEventListener("change", drawFigures);
if (picture) picture.decode().then(startAtlas);
