// Where pictures hang on a wall.
import assert from "node:assert/strict";
import { test } from "node:test";
import { countColumns, distribute } from "../../../grok_app/ui/components/imagine_columns.js";

const picture = (key, [width, height] = [2, 3]) => ({ key, width, height });
const keys = (columns) => columns.map((column) => column.map(({ key }) => key).join(""));
const all = () => true;

test("pictures of one shape fill row after row", () => {
  assert.deepEqual(keys(distribute([..."abcdefg"].map((key) => picture(key)), 3, all)), ["adg", "be", "cf"]);
});

test("the next picture hangs in the shortest column", () => {
  const pictures = [picture("a", [9, 16]), picture("b", [16, 9]), picture("c", [16, 9]), picture("d", [1, 1])];
  assert.deepEqual(keys(distribute(pictures, 2, all)), ["a", "bcd"]);
});

test("no picture moves when others come", () => {
  const shapes = [[2, 3], [16, 9], [1, 1], [9, 16], [3, 2]];
  const pictures = [..."abcdefghijklmno"].map((key, index) => picture(key, shapes[(index * 7) % shapes.length]));
  const later = keys(distribute(pictures, 4, all));
  keys(distribute(pictures.slice(0, 9), 4, all)).forEach((column, index) => assert.ok(later[index].startsWith(column)));
});

test("no picture moves when another is hidden", () => {
  const pictures = [..."abcdef"].map((key) => picture(key));
  assert.deepEqual(keys(distribute(pictures, 3, ({ key }) => key !== "b")), ["ad", "e", "cf"]);
});

test("a phone has two columns, a desktop as many as there is room for", () => {
  assert.deepEqual([0, 355, 700, 1000, 1408].map(countColumns), [2, 2, 3, 4, 6]);
});
