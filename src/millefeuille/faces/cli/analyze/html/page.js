"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const files = data.files;
  const LISTED = 200; // rows of the list of files that were found
  const SMALLEST = 5; // pixels across of a tile that is drawn
  const HEAD = 14; // pixels for the name of a tile that holds others

  function human(size) {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;
    while (size >= 1000 && unit < units.length - 1) { size /= 1000; unit += 1; }
    return unit ? `${Number(size.toPrecision(4))}${units[unit]}` : `${size}B`;
  }

  function element(tag, text, className) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  const step = (layer) => data.layers[layer].createdBy.replace(/^\/bin\/sh -c /, "");
  const colour = (layer) => `hsl(${(layer * 137.5 + 200) % 360} 55% 70%)`;

  // What the search and the checkbox leave, one byte for each file.
  const found = new Uint8Array(files.name.length).fill(1);
  let searching = false;

  function search() {
    const text = at("search").value.toLowerCase();
    const vain = at("vain").checked;
    searching = Boolean(text) || vain;
    const above = data.directories.map((path) => path.toLowerCase());
    let count = 0, size = 0;
    const rows = [];
    for (let file = 0; file < found.length; file++) {
      const path = text ? `/${above[files.directory[file]]}/${files.name[file].toLowerCase()}`.replace("//", "/") : "";
      const fits = path.includes(text) && (!vain || files.killer[file] >= 0);
      found[file] = fits ? 1 : 0;
      if (fits) { count += 1; size += files.size[file]; rows.push(file); }
    }
    at("count").textContent = `${count.toLocaleString("en")} files, ${human(size)}`;
    rows.sort((one, other) => files.size[other] - files.size[one]);
    list(rows);
    draw();
  }

  const pathOf = (file) => {
    const above = data.directories[files.directory[file]];
    return above ? `${above}/${files.name[file]}` : files.name[file];
  };

  function row(cells, press) {
    const line = element("tr");
    cells.forEach((text, place) => {
      const cell = element("td");
      if (press && place === cells.length - 1) {
        const button = element("button", text);
        button.addEventListener("click", press);
        cell.append(button);
      } else cell.textContent = text;
      line.append(cell);
    });
    return line;
  }

  function list(rows) {
    at("listed").textContent = rows.length > LISTED ? `The largest ${LISTED} files` : "Files";
    at("list").replaceChildren(...rows.slice(0, LISTED).map((file) =>
      row([human(files.size[file]), String(files.layer[file]), `/${pathOf(file)}`], () => zoomTo(file))));
  }

  // A node: its name, size, files, and what is in it, made when it is first asked for.
  function node(name, parent, layer) {
    return { name, parent, layer, size: 0, file: -1, below: new Map() };
  }

  const byLayer = () => at("arrange").value === "layers";

  // The names of the nodes that lead to a file.
  function partsAbove(file, layered) {
    const above = data.directories[files.directory[file]];
    const parts = above ? above.split("/") : [];
    const layer = files.layer[file];
    if (layered) parts.unshift(`${layer}: ${step(layer)}`);
    return parts;
  }

  function grown() {
    const layered = byLayer();
    const root = node(data.image.name, null, -1);
    for (let file = 0; file < found.length; file++) {
      const size = files.size[file];
      if (!size) continue;
      const layer = files.layer[file];
      let here = root;
      here.size += size;
      for (const part of partsAbove(file, layered)) {
        let next = here.below.get(part);
        if (!next) { next = node(part, here, layered ? layer : -1); here.below.set(part, next); }
        next.size += size;
        here = next;
      }
      // One path may be there once for each layer, or even twice in one.
      const leaf = node(files.name[file], here, layer);
      leaf.size = size;
      leaf.file = file;
      here.below.set(`\0${file}`, leaf);
    }
    return root;
  }

  let root = grown();
  let shown = root;

  function holdsFound(here) {
    if (here.file >= 0) return found[here.file] === 1;
    for (const child of here.below.values()) if (holdsFound(child)) return true;
    return false;
  }

  // Squarified: rows of tiles along the shorter side, each as near to squares as it can be.
  function placed(children, box, put) {
    let rest = children.slice().sort((one, other) => other.size - one.size);
    let total = rest.reduce((sum, child) => sum + child.size, 0);
    let { x, y, w, h } = box;
    while (rest.length && w > 0 && h > 0 && total > 0) {
      const scale = (w * h) / total, side = Math.min(w, h);
      let count = 0, sum = 0, worst = Infinity;
      while (count < rest.length) {
        const next = sum + rest[count].size * scale;
        const largest = rest[0].size * scale, least = rest[count].size * scale;
        const ratio = Math.max((side * side * largest) / (next * next), (next * next) / (side * side * least));
        if (ratio > worst) break;
        worst = ratio; sum = next; count += 1;
      }
      const thick = sum / side;
      let along = 0;
      for (const child of rest.slice(0, count)) {
        const length = (child.size * scale) / thick;
        put(child, w >= h ? { x, y: y + along, w: thick, h: length } : { x: x + along, y, w: length, h: thick });
        along += length;
        total -= child.size;
      }
      if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
      rest = rest.slice(count);
      // What comes after is smaller still.
      if (rest.length && rest[0].size * scale < 4) break;
    }
  }

  function tile(here, box, into) {
    if (box.w < SMALLEST || box.h < SMALLEST) return;
    const made = element("div", box.w > 24 && box.h > 12 ? here.name : "", "tile");
    const style = made.style;
    style.left = `${box.x}px`; style.top = `${box.y}px`; style.width = `${box.w}px`; style.height = `${box.h}px`;
    style.background = here.layer >= 0 ? colour(here.layer) : "#ccc";
    made.title = `${here.name}\n${human(here.size)}` + (here.layer >= 0 ? `\nlayer ${here.layer}` : "");
    if (here.file >= 0) {
      made.classList.add("file");
      if (files.killer[here.file] >= 0) {
        made.classList.add("vain");
        made.title += `\nlost in layer ${files.killer[here.file]}`;
      }
    }
    if (searching && !holdsFound(here)) made.classList.add("dim");
    made.addEventListener("click", (event) => {
      event.stopPropagation();
      zoom(here.file >= 0 ? here.parent : here);
    });
    into.append(made);
    if (here.file < 0 && box.w > 30 && box.h > HEAD + 12) {
      placed([...here.below.values()], { x: 2, y: HEAD, w: box.w - 6, h: box.h - HEAD - 4 },
        (child, inner) => tile(child, inner, made));
    }
  }

  function draw() {
    const map = at("map");
    map.replaceChildren();
    placed([...shown.below.values()], { x: 0, y: 0, w: map.clientWidth, h: map.clientHeight },
      (child, box) => tile(child, box, map));
    const steps = [];
    for (let here = shown; here; here = here.parent) steps.unshift(here);
    at("trail").replaceChildren(...steps.map((here) => {
      const button = element("button", `${here.name} (${human(here.size)})`);
      button.addEventListener("click", () => zoom(here));
      return button;
    }));
  }

  function zoom(here) { shown = here; draw(); }

  // To the directory of a file; where it holds no bytes and so has no node, to the next above it.
  function zoomTo(file) {
    const layered = byLayer();
    let here = root;
    for (const part of partsAbove(file, layered)) {
      const next = here.below.get(part);
      if (!next) break;
      here = next;
    }
    zoom(here);
    at("map").scrollIntoView();
  }

  at("title").textContent = data.image.name;
  const exact = data.exact;
  at("facts").textContent = `${data.image.platform}, ${data.layers.length} layers, ${human(exact.storedBytes)} stored ` +
    `(${human(exact.compressedBytes)} compressed), ${human(exact.shadowedBytes)} shadowed, ` +
    `${human(exact.avoidableBytes)} of it avoidable; efficiency ${(exact.efficiency * 100).toFixed(2)} %`;
  at("layers").append(...data.layers.map((layer, number) => row([
    String(number), human(layer.sizeBytes), human(layer.compressedBytes), human(layer.shadowedBytes), step(number),
  ])));
  const more = data.wasted - data.waste.length;
  at("wasted").textContent = `Waste (${data.wasted.toLocaleString("en")} files${more ? `, the largest ${data.waste.length}` : ""})`;
  at("waste").append(...data.waste.map((item) =>
    row([human(item[1]), String(item[2]), String(item[3]), item[4], `/${item[0]}`])));
  at("search").addEventListener("input", search);
  at("vain").addEventListener("change", search);
  at("arrange").addEventListener("change", () => { root = grown(); zoom(root); });
  window.addEventListener("resize", draw);
  search();
})();
