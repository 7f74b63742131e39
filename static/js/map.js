// Where is it? Points and areas on a plain WGS-84 grid: no basemap, no foreign host. The page also has them as a table.
const all = (root) => root.querySelectorAll("[data-map]").forEach((el) => { try { draw(el); } catch (error) { console.error(error); } });
document.addEventListener("ops:swapped", (e) => all(e.target));

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function draw(el) {
  const L = window.L;
  if (!L || el.dataset.drawn) return;
  el.dataset.drawn = "1";
  const source = document.getElementById(el.dataset.map);
  const { points = [], areas = [] } = source ? JSON.parse(source.textContent) : {};
  const map = L.map(el, { minZoom: 3, maxZoom: 19 });
  map.attributionControl.setPrefix("WGS-84");
  graticule(L, map);
  extent(map);
  const shapes = [];
  for (const area of areas) shapes.push(L.geoJSON(area.geometry, { style: { color: css("--ops-edge"), weight: 2, fillOpacity: 0.08 } }).bindTooltip(area.name));
  for (const p of points) {
    const main = p.kind === "incident";
    shapes.push(L.circleMarker([p.lat, p.lon], { radius: main ? 9 : 6, color: css(main ? "--ops-info" : "--ops-text"), weight: 2.5, fillColor: css("--ops-panel"), fillOpacity: 1 })
      .bindTooltip(label(p.name), { permanent: main, direction: "top", offset: [0, -8] }));
  }
  const group = L.featureGroup(shapes).addTo(map);
  const show = () => shapes.length ? map.fitBounds(group.getBounds().pad(0.4), { maxZoom: 13, animate: false }) : map.setView([31.2, 121.5], 9, { animate: false });
  show();
  let chosen = false; // a view that its reader chose stays
  for (const name of ["pointerdown", "wheel", "keydown"]) el.addEventListener(name, () => { chosen = true; }, { passive: true });
  new ResizeObserver(() => {
    if (!el.clientWidth) return;
    map.invalidateSize({ animate: false, pan: false });
    if (!chosen) show();
    for (const shape of shapes) shape.getTooltip().update(); // the letters may have another size as well
  }).observe(el);
}

function label(text) {
  const span = document.createElement("span");
  span.textContent = text;
  return span;
}

// A filter by place can take over what the map shows: west, south, east, north.
function extent(map) {
  for (const button of document.querySelectorAll("[data-box-take]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const b = map.getBounds();
      const edges = [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()];
      button.closest("[data-box]").querySelectorAll("input").forEach((input, n) => { input.value = edges[n].toFixed(4); });
    });
  }
}

// Lines of longitude and latitude at a round step, redrawn when the view moves.
function graticule(L, map) {
  const layer = L.layerGroup().addTo(map);
  const redraw = () => {
    layer.clearLayers();
    const b = map.getBounds();
    const step = [10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001].find((s) => (b.getEast() - b.getWest()) / s > 4) || 0.001;
    const style = { color: css("--ops-edge"), opacity: 0.35, weight: 1, interactive: false };
    for (let x = Math.ceil(b.getWest() / step) * step; x < b.getEast(); x += step) layer.addLayer(L.polyline([[b.getSouth(), x], [b.getNorth(), x]], style));
    for (let y = Math.ceil(b.getSouth() / step) * step; y < b.getNorth(); y += step) layer.addLayer(L.polyline([[y, b.getWest()], [y, b.getEast()]], style));
  };
  map.on("moveend load", redraw);
}

all(document);
