// Where pictures hang on a wall of columns.

const GAP = 0.04; // of a column's width
const COLUMN_PX = 250;
const NARROW_PX = 560;

// How many columns a wall of this width has. A phone has two.
export function countColumns(widthPx) {
  return widthPx < NARROW_PX ? 2 : Math.max(2, Math.round(widthPx / COLUMN_PX));
}

// The pictures by column: each in the shortest as of its coming, so none moves when others come after it. One that is
// not shown keeps its place too: else all after it would change columns when it goes.
export function distribute(pictures, count, isShown) {
  const columns = Array.from({ length: count }, () => []);
  const heights = new Array(count).fill(0);
  for (const picture of pictures) {
    const shortest = heights.indexOf(Math.min(...heights));
    heights[shortest] += picture.height / picture.width + GAP;
    if (isShown(picture)) columns[shortest].push(picture);
  }
  return columns;
}
