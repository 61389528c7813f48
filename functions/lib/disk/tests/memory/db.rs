//! Dbs that claim more than they hold, or as much as is read.

/// Bytes of a page, and of the longest that is read.
const PAGE: usize = 4096;
const LONGEST: usize = 32 << 20;
/// Of a page, before its elements, and of an element.
const HEADER: usize = 16;
const ELEMENT: usize = 16;
/// The first page after the root.
const NEXT: u64 = 3;

/// An element: what is under the key is a value or, with `1`, a bucket; or it is a child.
type Element = (u32, Vec<u8>, Vec<u8>);

fn number(value: usize) -> [u8; 4] {
    u32::try_from(value).expect("small").to_le_bytes()
}

fn header(id: u64, is_leaf: bool, count: usize, length: usize) -> Vec<u8> {
    let count = u16::try_from(count).expect("few");
    let flags: u16 = if is_leaf { 2 } else { 1 };
    let overflow = number(length.div_ceil(PAGE) - 1);
    [&id.to_le_bytes()[..], &flags.to_le_bytes(), &count.to_le_bytes(), &overflow].concat()
}

fn leaf(id: u64, elements: &[Element]) -> Vec<u8> {
    let data = elements.iter().map(|(_, key, value)| key.len() + value.len()).sum::<usize>();
    let mut page = header(id, true, elements.len(), HEADER + elements.len() * ELEMENT + data);
    let mut before = 0;
    for (at, (flags, key, value)) in elements.iter().enumerate() {
        let position = (elements.len() - at) * ELEMENT + before;
        page.extend(flags.to_le_bytes());
        page.extend([position, key.len(), value.len()].map(number).concat());
        before += key.len() + value.len();
    }
    page.extend(elements.iter().flat_map(|(_, key, value)| key.iter().chain(value)));
    padded(page)
}

/// A branch of keys of the same length, over as many pages as are wanted, if that is more than it fills.
fn branch(id: u64, keys: &[(Vec<u8>, u64)], at_least: usize) -> Vec<u8> {
    let length = HEADER + keys.iter().map(|(key, _)| ELEMENT + key.len()).sum::<usize>();
    let mut page = header(id, false, keys.len(), length.max(at_least));
    for (at, (key, child)) in keys.iter().enumerate() {
        let position = (keys.len() - at) * ELEMENT + at * key.len();
        page.extend([position, key.len()].map(number).concat());
        page.extend(child.to_le_bytes());
    }
    page.extend(keys.iter().flat_map(|(key, _)| key));
    page.resize(page.len().max(at_least), 0);
    padded(page)
}

fn padded(mut page: Vec<u8>) -> Vec<u8> {
    page.resize(page.len().next_multiple_of(PAGE), 0);
    page
}

fn revision(main: u64, sub: u64) -> Vec<u8> {
    [&main.to_be_bytes()[..], b"_", &sub.to_be_bytes()].concat()
}

fn bucket(name: &str, root: u64) -> Element {
    (1, name.into(), [root.to_le_bytes(), [0; 8]].concat())
}

fn inline(name: &str, key: &str, value: &[u8]) -> Element {
    let page = leaf(0, &[(0, key.into(), value.into())]);
    (1, name.into(), [&[0; 16], &page[..HEADER + ELEMENT + key.len() + value.len()]].concat())
}

/// What etcd cannot start without.
fn member() -> Element {
    (0, b"91bc3c398fb3c146".into(), br#"{"id":10501334649042878790,"name":"a"}"#.into())
}

fn meta(id: u64, pages: usize) -> Vec<u8> {
    let mut meta: Vec<u8> = [0xED0C_DAED_u32, 2, 4096, 0].into_iter().flat_map(u32::to_le_bytes).collect();
    meta.extend([2, 0, u64::MAX, pages as u64, 9].into_iter().flat_map(u64::to_le_bytes));
    let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    meta.extend(meta.iter().fold(0xcbf2_9ce4_8422_2325, fnv).to_le_bytes());
    padded([&id.to_le_bytes()[..], &[4, 0, 0, 0, 0, 0, 0, 0], &meta].concat())
}

/// A db whose `key` and `members` have their roots there, and pages from [`NEXT`] on.
fn db(consistent_index: u64, key: u64, members: u64, pages: &[Vec<u8>]) -> Vec<u8> {
    db_of_cluster(inline("cluster", "clusterVersion", b"3.4.0"), consistent_index, key, members, pages)
}

fn db_of_cluster(cluster: Element, consistent_index: u64, key: u64, members: u64, pages: &[Vec<u8>]) -> Vec<u8> {
    let root = [
        cluster,
        bucket("key", key),
        bucket("members", members),
        inline("meta", "consistent_index", &consistent_index.to_be_bytes()),
    ];
    let pages = [leaf(2, &root), pages.concat()].concat();
    let count = 2 + pages.len() / PAGE;
    [meta(0, count), meta(1, count), pages].concat()
}

/// A thousand values in a page of 16 MiB, each to its end.
pub(crate) fn values_that_overlap(consistent_index: u64) -> Vec<u8> {
    let (length, count) = (16 << 20, 1000);
    let mut page = header(NEXT, true, count, length);
    let keys = HEADER + count * ELEMENT;
    for at in 0..count {
        let (from, key) = (HEADER + at * ELEMENT, keys + at * 4);
        page.extend([0, key - from, 4, length - key - 4].map(number).concat());
    }
    page.extend((0..count).flat_map(|at| u32::try_from(at).expect("small").to_be_bytes()));
    page.resize(length, b'x');
    let last = NEXT + (length / PAGE) as u64;
    db(consistent_index, last, NEXT, &[page, leaf(last, &[(0, revision(1, 0), Vec::new())])])
}

/// Thirty thousand keys, each the beginning of the next one.
pub(crate) fn keys_that_overlap(consistent_index: u64) -> Vec<u8> {
    let count = 30_000;
    let length = HEADER + count * (ELEMENT + 1) + 17;
    let mut page = header(NEXT, false, count, length);
    for at in 0..count {
        page.extend([(count - at) * ELEMENT, 17 + at].map(number).concat());
        page.extend((NEXT + 1000).to_le_bytes());
    }
    page.extend([revision(1, 0), vec![1; count]].concat());
    let page = padded(page);
    let last = NEXT + (page.len() / PAGE) as u64;
    db(consistent_index, NEXT, last, &[page, leaf(last, &[member()])])
}

/// Branches of as many keys as one can have, one below the other: each is the first child of the one before it.
pub(crate) fn wide_branches(consistent_index: u64) -> Vec<u8> {
    let length = HEADER + 65_535 * (ELEMENT + 17);
    let size = length.div_ceil(PAGE) as u64;
    // Digits of 16 bits, the first ones first: three of a revision's main part, four of its other one.
    let digits = [47, 31, 15, 48, 32, 16, 0];
    let levels = digits.len() as u64;
    let last = NEXT + levels * size;
    let level = |(level, shift): (usize, u64)| {
        let id = NEXT + level as u64 * size;
        let key = |digit: u64| if level < 3 { revision(digit << shift, 0) } else { revision(0, digit << shift) };
        let child = |digit: u64| if digit == 0 { id + size } else { last };
        let keys: Vec<_> = (0..65_535).map(|digit| (key(digit), child(digit))).collect();
        branch(id, &keys, 0)
    };
    let mut pages: Vec<Vec<u8>> = digits.into_iter().enumerate().map(level).collect();
    pages.extend([leaf(last, &[(0, revision(1 << 62, 0), Vec::new())]), leaf(last + 1, &[member()])]);
    db(consistent_index, NEXT, last + 1, &pages)
}

/// Two branches below a third, each of as long keys as there are, and of as many as a page holds.
pub(crate) fn long_keys(consistent_index: u64) -> Vec<u8> {
    const KEY: usize = 32 << 10;
    let count = (LONGEST - HEADER) / (ELEMENT + KEY);
    let size = (LONGEST / PAGE) as u64;
    let [first, second, last] = [1, 2, 3].map(|nth| NEXT + nth * size);
    let long = |beginning: [u16; 2]| {
        let mut key: Vec<u8> = beginning.into_iter().flat_map(u16::to_be_bytes).collect();
        key.resize(KEY, 0);
        key
    };
    let numbers = || 0..u16::try_from(count).expect("few");
    // Pages that are nowhere reached before there is too much to keep in mind.
    let beyond = last + 2;
    let root = numbers().map(|at| {
        let child = [first, second].get(usize::from(at)).copied().unwrap_or(beyond + u64::from(at));
        (long([at, 0]), if usize::from(at) + 1 == count { last } else { child })
    });
    let below = |of: u16| numbers().map(move |at| (long([of, at]), beyond + u64::from(at))).collect::<Vec<_>>();
    let pages = [
        branch(NEXT, &root.collect::<Vec<_>>(), LONGEST),
        branch(first, &below(0), LONGEST),
        branch(second, &below(1), LONGEST),
        leaf(last, &[(0, revision(1 << 62, 0), Vec::new())]),
        leaf(last + 1, &[member()]),
    ];
    let pages = [&pages[..], &vec![vec![0; PAGE]; count]].concat();
    db(consistent_index, NEXT, last + 1, &pages)
}

/// A value in a page as long as is read, below two branches that are.
pub(crate) fn longest_pages(consistent_index: u64) -> Vec<u8> {
    let size = (LONGEST / PAGE) as u64;
    let above = |at: u64| branch(NEXT + at * size, &[(revision(1, 0), NEXT + (at + 1) * size)], LONGEST);
    // A `mvccpb.KeyValue` of which the value is all: its field, and its length in four bytes.
    let length = LONGEST - HEADER - ELEMENT - 17 - 5;
    let bytes = [length & 0x7f | 0x80, length >> 7 & 0x7f | 0x80, length >> 14 & 0x7f | 0x80, length >> 21];
    let mut value = vec![5 << 3 | 2];
    value.extend(bytes.map(|byte| u8::try_from(byte).expect("eight bits")));
    value.resize(value.len() + length, 7);
    let lowest = leaf(NEXT + 2 * size, &[(0, revision(1, 0), value)]);
    let last = NEXT + 3 * size;
    db(consistent_index, NEXT, last, &[above(0), above(1), lowest, leaf(last, &[member()])])
}

/// A version that fills a page as long as is read.
pub(crate) fn longest_version(consistent_index: u64) -> Vec<u8> {
    let name = b"clusterVersion";
    let version = leaf(NEXT, &[(0, name.to_vec(), vec![b'3'; LONGEST - HEADER - ELEMENT - name.len()])]);
    let last = NEXT + (LONGEST / PAGE) as u64;
    db_of_cluster(bucket("cluster", NEXT), consistent_index, last, last, &[version, leaf(last, &[member()])])
}
