//! Places the labels of points so that none covers another or a point.

/// A rectangle; y grows downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

/// A point with its label.
#[derive(Debug, Clone, Copy)]
pub struct Labelled {
    /// Where the point is.
    pub point: (f64, f64),
    /// The width and height of its label.
    pub extent: (f64, f64),
}

/// Half the width of a point's mark.
const MARK: f64 = 7.0;

/// How far the nearest place for a label is from a point's mark.
const GAP: f64 = 2.0;

/// The distances from a point's mark at which its label may stand.
const DISTANCES: [f64; 9] = [0.0, 6.0, 12.0, 20.0, 30.0, 42.0, 56.0, 74.0, 96.0];

/// The number of directions that are tried at each distance. The first is to the right.
const DIRECTIONS: u32 = 16;

/// The number of times that each label is placed, with the others where they stand by then.
const PASSES: usize = 4;

impl Area {
    fn around((x, y): (f64, f64), (width, height): (f64, f64)) -> Self {
        Area {
            left: x - width / 2.0,
            top: y - height / 2.0,
            right: x + width / 2.0,
            bottom: y + height / 2.0,
        }
    }

    /// The place at these shares of its width and of its height, from the bottom left.
    pub fn at(&self, across: f64, up: f64) -> (f64, f64) {
        (
            self.left + across * (self.right - self.left),
            self.bottom - up * (self.bottom - self.top),
        )
    }

    /// The place in it that is nearest to `point`.
    pub fn nearest(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (x.clamp(self.left, self.right), y.clamp(self.top, self.bottom))
    }

    /// How far `point` is from it.
    pub fn distance(&self, point: (f64, f64)) -> f64 {
        let (x, y) = self.nearest(point);
        (x - point.0).hypot(y - point.1)
    }

    /// How much of it the two have in common.
    pub fn overlap(&self, other: &Area) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    /// Whether all of it lies in `other`.
    pub fn is_within(&self, other: &Area) -> bool {
        self.left >= other.left && self.top >= other.top && self.right <= other.right && self.bottom <= other.bottom
    }

    /// Whether a line between two places passes through it.
    fn is_crossed_by(&self, from: (f64, f64), to: (f64, f64)) -> bool {
        const STEPS: u32 = 12;
        let apart = |one: f64, other: f64, low: f64, high: f64| one.max(other) < low || one.min(other) > high;
        if apart(from.0, to.0, self.left, self.right) || apart(from.1, to.1, self.top, self.bottom) {
            return false;
        }
        (0..=STEPS).any(|step| {
            let share = f64::from(step) / f64::from(STEPS);
            let place = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
            self.nearest(place) == place
        })
    }
}

/// Where each label goes, inside `whole` and beside the `taken` areas.
pub fn place(labels: &[Labelled], whole: &Area, taken: &[Area]) -> Vec<Area> {
    // The result depends on which label comes first, so each of them is tried.
    let results = (0..labels.len()).map(|first| place_from(first, labels, whole, taken));
    let best = results.min_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map_or(Vec::new(), |(_, areas)| areas)
}

/// Places the labels one after the other, beginning with `first`. Returns the cost of the result as well.
fn place_from(first: usize, labels: &[Labelled], whole: &Area, taken: &[Area]) -> (f64, Vec<Area>) {
    let mut placed: Vec<Option<Area>> = vec![None; labels.len()];
    let mut total = 0.0;
    for _ in 0..PASSES {
        total = 0.0;
        for index in (first..labels.len()).chain(0..first) {
            let cost = |area: Area| (cost(index, &area, labels, &placed, whole, taken), area);
            let costs = candidates(&labels[index]).map(cost);
            if let Some((cost, best)) = costs.min_by(|(one, _), (other, _)| one.total_cmp(other)) {
                placed[index] = Some(best);
                total += cost;
            }
        }
    }
    (total, placed.into_iter().flatten().collect())
}

fn candidates(label: &Labelled) -> impl Iterator<Item = Area> {
    let ((x, y), (width, height)) = (label.point, label.extent);
    DISTANCES.into_iter().flat_map(move |distance| {
        (0..DIRECTIONS).map(move |direction| {
            let (sine, cosine) = (std::f64::consts::TAU * f64::from(direction) / f64::from(DIRECTIONS)).sin_cos();
            let centre = (
                x + cosine * (MARK + GAP + distance + width / 2.0),
                y - sine * (MARK + GAP + distance + height / 2.0),
            );
            Area::around(centre, label.extent)
        })
    })
}

/// The cost of a place: above all what the label covers, then a line that crosses others, another point that is nearer,
/// and the distance.
fn cost(index: usize, area: &Area, labels: &[Labelled], placed: &[Option<Area>], whole: &Area, taken: &[Area]) -> f64 {
    const COVERS: f64 = 1000.0;
    const CROSSES: f64 = 120.0;
    const MISLEADS: f64 = 60.0;
    let point = labels[index].point;
    let end = area.nearest(point);
    let distance = area.distance(point);
    // All places beside the mark cost the same. So the first of them is taken.
    let mut cost = distance.max(MARK + GAP);
    if !area.is_within(whole) {
        cost += COVERS * COVERS;
    }
    for other in taken.iter().chain(others(index, placed)) {
        cost += COVERS * area.overlap(other);
        if other.is_crossed_by(point, end) {
            cost += CROSSES;
        }
    }
    for (other, label) in labels.iter().enumerate() {
        cost += COVERS * area.overlap(&Area::around(label.point, (2.0 * MARK, 2.0 * MARK)));
        if other != index && area.distance(label.point) < distance {
            cost += MISLEADS;
        }
    }
    cost
}

fn others(index: usize, placed: &[Option<Area>]) -> impl Iterator<Item = &Area> {
    placed
        .iter()
        .enumerate()
        .filter(move |(other, _)| *other != index)
        .filter_map(|(_, area)| area.as_ref())
}

#[cfg(test)]
mod tests {
    use super::{Area, Labelled, place};

    const PHONE: Area = Area {
        left: 0.0,
        top: 0.0,
        right: 300.0,
        bottom: 300.0,
    };

    fn cluster(count: usize) -> Vec<Labelled> {
        (0..count)
            .map(|index| Labelled {
                point: (150.0 + 3.0 * (index % 4) as f64, 150.0 + 3.0 * (index / 4) as f64),
                extent: (60.0, 14.0),
            })
            .collect()
    }

    #[test]
    fn sixteen_allocators_that_are_nearly_alike_have_labels_that_do_not_overlap() {
        let placed = place(&cluster(16), &PHONE, &[]);
        assert_eq!(placed.len(), 16);
        for (index, one) in placed.iter().enumerate() {
            assert!(one.is_within(&PHONE), "{one:?}");
            for other in &placed[index + 1..] {
                assert_eq!(one.overlap(other), 0.0, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_point_alone_has_its_label_beside_it_on_the_right() {
        let label = Labelled {
            point: (100.0, 100.0),
            extent: (60.0, 14.0),
        };
        let placed = place(&[label], &PHONE, &[]);
        assert!(
            (placed[0].left - 109.0).abs() < 1e-9 && (placed[0].top - 93.0).abs() < 1e-9,
            "{placed:?}"
        );
    }

    #[test]
    fn a_point_in_a_corner_has_its_label_inside_and_beside_what_is_taken() {
        let label = Labelled {
            point: (299.0, 299.0),
            extent: (60.0, 14.0),
        };
        let taken = Area {
            left: 200.0,
            top: 285.0,
            right: 300.0,
            bottom: 300.0,
        };
        let placed = place(&[label], &PHONE, &[taken]);
        assert!(
            placed[0].is_within(&PHONE) && placed[0].overlap(&taken) == 0.0,
            "{placed:?}"
        );
    }
}
