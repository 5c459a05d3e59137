//! Where boxes stand: in columns by level, parents to the left, each as near to those it is tied to as there is room.

/// How far boxes of one column are apart, in pixels.
const GAP: f64 = 14.0;
/// How far columns are apart, where edges run.
const AISLE: f64 = 90.0;
/// How high the lane is that an edge takes through a column.
const LANE: f64 = 6.0;
/// How often columns are put in order, and boxes moved, to and fro: more changes little.
const SWEEPS: usize = 8;

/// A box to be placed.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// The width, in pixels.
    pub width: f64,
    /// The height, in pixels.
    pub height: f64,
    /// The column.
    pub level: usize,
}

/// A point, in pixels from the upper left corner.
#[derive(Debug, Clone, Copy, Default)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// Where all is.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// The upper left corner of each box.
    pub corners: Vec<Point>,
    /// Points of each edge, from the right of the parent to the left of the child: to each second one leads a straight line, across a
    /// column, and to the others a bend between two columns.
    pub paths: Vec<Vec<Point>>,
    /// The width of all.
    pub width: f64,
    /// The height of all.
    pub height: f64,
}

/// A box, or the lane that an edge takes through a column.
struct Cell {
    column: usize,
    height: f64,
    /// The middle.
    y: f64,
    left: Vec<usize>,
    right: Vec<usize>,
}

/// Cells in columns.
struct Grid {
    cells: Vec<Cell>,
    columns: Vec<Vec<usize>>,
    /// The cells that each edge runs through.
    chains: Vec<Vec<usize>>,
}

/// Places boxes; edges lead from the first to the second.
pub fn lay_out(sizes: &[Size], edges: &[(usize, usize)]) -> Layout {
    let mut grid = Grid::new(sizes, edges);
    for sweep in 0..SWEEPS {
        grid.sort(sweep % 2 == 0);
    }
    grid.stack();
    for sweep in 0..SWEEPS {
        grid.settle(sweep % 2 == 0);
    }
    grid.points(sizes)
}

impl Grid {
    fn new(sizes: &[Size], edges: &[(usize, usize)]) -> Self {
        let mut grid = Self { cells: Vec::new(), columns: Vec::new(), chains: Vec::new() };
        for size in sizes {
            grid.add(size.level, size.height);
        }
        for &(from, to) in edges {
            let mut chain = vec![from];
            // One that closes a cycle leads back, over whatever lies between.
            if sizes[from].level < sizes[to].level {
                for column in sizes[from].level + 1..sizes[to].level {
                    chain.push(grid.add(column, LANE));
                }
                chain.push(to);
                for pair in chain.windows(2) {
                    grid.cells[pair[0]].right.push(pair[1]);
                    grid.cells[pair[1]].left.push(pair[0]);
                }
            } else {
                chain.push(to);
            }
            grid.chains.push(chain);
        }
        grid
    }

    fn add(&mut self, column: usize, height: f64) -> usize {
        let cell = self.cells.len();
        self.cells.push(Cell { column, height, y: 0.0, left: Vec::new(), right: Vec::new() });
        if self.columns.len() <= column {
            self.columns.resize(column + 1, Vec::new());
        }
        self.columns[column].push(cell);
        cell
    }

    /// The columns from the left, or from the right.
    fn sequence(&self, is_forward: bool) -> Vec<usize> {
        let columns = 0..self.columns.len();
        if is_forward { columns.collect() } else { columns.rev().collect() }
    }

    /// The mean of the places of those that a cell is tied to on one side; its own where there are none.
    fn pull(&self, cell: usize, is_left: bool) -> f64 {
        let cell = &self.cells[cell];
        let tied = if is_left { &cell.left } else { &cell.right };
        if tied.is_empty() {
            return cell.y;
        }
        let sum: f64 = tied.iter().map(|&other| self.cells[other].y).sum();
        sum / count(tied.len())
    }

    /// Orders each column by where those stand that its cells are tied to; places are ranks.
    fn sort(&mut self, is_forward: bool) {
        for column in self.sequence(is_forward) {
            let mut ranked = Vec::new();
            for (rank, &cell) in self.columns[column].iter().enumerate() {
                let is_tied = !if is_forward { &self.cells[cell].left } else { &self.cells[cell].right }.is_empty();
                ranked.push((if is_tied { self.pull(cell, is_forward) } else { count(rank) }, cell));
            }
            ranked.sort_by(|one, other| one.0.total_cmp(&other.0));
            let length = count(ranked.len());
            for (rank, &(_, cell)) in ranked.iter().enumerate() {
                // Relative to the column's middle, so that short columns stand beside the middle of long ones.
                self.cells[cell].y = count(rank) - length / 2.0;
            }
            self.columns[column] = ranked.into_iter().map(|(_, cell)| cell).collect();
        }
    }

    /// Stands the cells of each column on each other.
    fn stack(&mut self) {
        for column in &self.columns {
            let mut top = 0.0;
            for &cell in column {
                let cell = &mut self.cells[cell];
                cell.y = top + cell.height / 2.0;
                top += cell.height + GAP;
            }
        }
    }

    /// Moves the cells of each column towards those that they are tied to, as far as their order and size allow: what is in each
    /// other's way moves as one block (pool adjacent violators).
    fn settle(&mut self, is_forward: bool) {
        for column in self.sequence(is_forward) {
            let mut offset = 0.0;
            let mut offsets = Vec::new();
            let mut blocks: Vec<(f64, usize)> = Vec::new();
            for &cell in &self.columns[column] {
                let half = self.cells[cell].height / 2.0;
                offset += half;
                offsets.push(offset);
                blocks.push((self.pull(cell, is_forward) - offset, 1));
                offset += half + GAP;
                while let [.., (above, many), (below, few)] = blocks[..]
                    && above > below
                {
                    let mean = (above * count(many) + below * count(few)) / count(many + few);
                    blocks.truncate(blocks.len() - 2);
                    blocks.push((mean, many + few));
                }
            }
            let tops = blocks.iter().flat_map(|&(top, length)| std::iter::repeat_n(top, length));
            for ((&cell, offset), top) in self.columns[column].iter().zip(offsets).zip(tops) {
                self.cells[cell].y = top + offset;
            }
        }
    }

    fn points(&self, sizes: &[Size]) -> Layout {
        let mut layout = Layout::default();
        let mut lefts = Vec::new();
        let mut widths = Vec::new();
        for column in &self.columns {
            let boxes = column.iter().filter_map(|&cell| sizes.get(cell));
            let width = boxes.map(|size| size.width).fold(0.0, f64::max);
            lefts.push(layout.width);
            widths.push(width);
            layout.width += width + AISLE;
        }
        layout.width = (layout.width - AISLE).max(0.0);
        let tops = self.cells.iter().map(|cell| cell.y - cell.height / 2.0);
        let top = tops.fold(f64::INFINITY, f64::min);
        for (cell, size) in self.cells.iter().zip(sizes) {
            let y = cell.y - cell.height / 2.0 - top;
            layout.height = layout.height.max(y + size.height);
            layout.corners.push(Point { x: lefts[cell.column], y });
        }
        for chain in &self.chains {
            let mut path = Vec::new();
            for (position, &cell) in chain.iter().enumerate() {
                let Cell { column, y, .. } = self.cells[cell];
                let width = sizes.get(cell).map_or(widths[column], |size| size.width);
                if position > 0 {
                    path.push(Point { x: lefts[column], y: y - top });
                }
                // Beside wider boxes of its column, an edge bends only where these end.
                if position == 0 {
                    path.push(Point { x: lefts[column] + width, y: y - top });
                }
                if position + 1 < chain.len() {
                    path.push(Point { x: lefts[column] + widths[column], y: y - top });
                }
            }
            layout.paths.push(path);
        }
        layout
    }
}

/// A number of things, to reckon with.
#[expect(clippy::cast_precision_loss, reason = "nobody draws 2^52 boxes")]
fn count(number: usize) -> f64 {
    number as f64
}
