"use strict";
// Numbers as people write them: three significant digits, units always. As on the screen.

const words = {
  digits(value) {
    const size = Math.abs(value);
    if (size >= 99.95) return value.toFixed(0);
    if (size >= 9.995) return value.toFixed(1);
    if (size >= 0.9995) return value.toFixed(2);
    if (size === 0) return "0";
    return String(Number(value.toPrecision(size >= 0.001 ? 3 : 1)));
  },

  bytes(value) {
    const units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let at = 0;
    let scaled = value;
    while (Math.abs(scaled) >= 999.5 && at < units.length - 1) {
      scaled /= 1000;
      at += 1;
    }
    return `${at ? words.digits(scaled) : scaled.toFixed(0)} ${units[at]}`;
  },

  signedBytes(value) {
    return `${value < 0 ? "−" : "+"}${words.bytes(Math.abs(value))}`;
  },

  count(value) {
    for (const [limit, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
      if (Math.abs(value) >= limit * 0.9995) return `${words.digits(value / limit)} ${unit}`;
    }
    return Number.isInteger(value) ? String(value) : words.digits(value);
  },

  seconds(value) {
    const size = Math.abs(value);
    if (size === 0) return "0 s";
    if (size < 1e-6) return `${(value * 1e9).toFixed(0)} ns`;
    if (size < 0.9995e-3) return `${words.digits(value * 1e6)} µs`;
    if (size < 0.9995) return `${words.digits(value * 1e3)} ms`;
    if (size < 120) return `${words.digits(value)} s`;
    const whole = Math.round(size);
    const minutes = Math.floor(whole / 60);
    const sign = value < 0 ? "-" : "";
    if (minutes < 120) return `${sign}${minutes} min ${whole % 60} s`;
    return `${sign}${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  },

  // A moment, told as finely as the whole span needs.
  moment(value, span) {
    if (span < 600) return `${value.toFixed(span < 20 ? 3 : span < 120 ? 2 : 1)} s`;
    const sign = value < 0 ? "-" : "";
    const whole = Math.round(Math.abs(value));
    const pad = (n) => String(n).padStart(2, "0");
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return `${sign}${h ? `${h}:${pad(m)}` : m}:${pad(s)}`;
  },

  percent(part, whole) {
    return whole > 0 ? `${((part * 100) / whole).toFixed(1)} %` : "–";
  },
};

// An element with text in it. Names only ever come in here: as text, never as markup.
function element(tag, name, text, ...children) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined && text !== null) made.textContent = text;
  made.append(...children);
  return made;
}

function byId(id) {
  return document.getElementById(id);
}
