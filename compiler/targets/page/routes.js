// @ts-check
"use strict";
/** Lines that go around boxes, from one point to another.
 * @typedef {{ x: number, y: number }} Point
 * @typedef {{ left: number, top: number, right: number, bottom: number }} Obstacle
 * @param {{ x: number, y: number, width: number, height: number }[]} boxes */
const routesAround = (boxes) => {
  /** Units between a line and a box that it passes. */
  const GAP = 7;
  const obstacles = boxes.map((box) => ({
    left: box.x - GAP + 1,
    top: box.y - GAP + 1,
    right: box.x + box.width + GAP - 1,
    bottom: box.y + box.height + GAP - 1,
  }));
  const corners = obstacles.flatMap(({ left, top, right, bottom }) => [
    { x: left - 1, y: top - 1 },
    { x: right + 1, y: top - 1 },
    { x: left - 1, y: bottom + 1 },
    { x: right + 1, y: bottom + 1 },
  ]);

  /** Whether a straight line goes through a box. @param {Point} a @param {Point} b
   * @param {Obstacle} box */
  const crosses = (a, b, box) => {
    let [start, end] = [0, 1];
    for (const [from, step, low, high] of [
      [a.x, b.x - a.x, box.left, box.right],
      [a.y, b.y - a.y, box.top, box.bottom],
    ]) {
      if (step === 0) {
        if (from <= low || from >= high) return false;
        continue;
      }
      const [one, other] = [(low - from) / step, (high - from) / step];
      start = Math.max(start, Math.min(one, other));
      end = Math.min(end, Math.max(one, other));
      if (start >= end) return false;
    }
    return true;
  };
  /** @param {Point} a @param {Point} b */
  const isFree = (a, b) => !obstacles.some((box) => crosses(a, b, box));
  /** @param {Point} a @param {Point} b */
  const length = (a, b) => Math.hypot(b.x - a.x, b.y - a.y);
  const open = corners.filter((c) => !obstacles.some((box) => crosses(c, c, box)));
  /** @type {number[][]} */
  const between = [];
  /** How far corners are apart, where nothing stands between them. @param {number} i */
  const neighbours = (i) =>
    (between[i] ??= open.map((c, j) => (i !== j && isFree(open[i], c) ? length(open[i], c) : 0)));

  /** The points of the shortest way. @param {Point} from @param {Point} to */
  return (from, to) => {
    if (isFree(from, to)) return [from, to];
    const last = open.map((c) => (isFree(c, to) ? length(c, to) : Infinity));
    const known = open.map((c) => (isFree(from, c) ? length(from, c) : Infinity));
    const before = open.map(() => -1);
    const done = open.map(() => false);
    let [end, best] = [-1, Infinity];
    for (;;) {
      let next = -1;
      known.forEach((value, i) => {
        if (!done[i] && value < best && (next < 0 || value < known[next])) next = i;
      });
      if (next < 0) break;
      done[next] = true;
      if (known[next] + last[next] < best) [end, best] = [next, known[next] + last[next]];
      neighbours(next).forEach((distance, i) => {
        if (!distance || known[next] + distance >= known[i]) return;
        known[i] = known[next] + distance;
        before[i] = next;
      });
    }
    const way = [to];
    for (let i = end; i >= 0; i = before[i]) way.unshift(open[i]);
    return [from, ...way];
  };
};

/** The points of a way as a path with round corners. @param {{ x: number, y: number }[]} way */
const rounded = (way) => {
  const ROUND = 16;
  /** A point on the way from one to another. @param {{ x: number, y: number }} from
   * @param {{ x: number, y: number }} to @param {number} far */
  const towards = (from, to, far) => {
    const whole = Math.hypot(to.x - from.x, to.y - from.y) || 1;
    const share = Math.min(far, whole / 2) / whole;
    return `${from.x + share * (to.x - from.x)} ${from.y + share * (to.y - from.y)}`;
  };
  const turns = way.slice(1, -1).map((turn, i) => {
    const [into, out] = [towards(turn, way[i], ROUND), towards(turn, way[i + 2], ROUND)];
    return `L${into}Q${turn.x} ${turn.y} ${out}`;
  });
  const end = way[way.length - 1];
  return `M${way[0].x} ${way[0].y}${turns.join("")}L${end.x} ${end.y}`;
};
