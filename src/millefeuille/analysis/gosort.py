"""The order that Go's `sort.Sort` leaves equal elements in.

Dive sorts its list of inefficient files by size alone with it, so only the same algorithm (a pattern-
defeating quicksort, in Go since 1.19) gives the same list where sizes are equal.
Source: Orson Peters, "Pattern-defeating Quicksort" (arXiv 2106.05123), and the documented behaviour of Go's
sort.
"""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.annotations import Final

_INSERTION: Final = 12  # elements that are sorted by insertion
_NINTHER: Final = 50  # elements from which on the pivot is a median of medians
_MAXIMUM_SWAPS: Final = 12
_UNKNOWN, _INCREASING, _DECREASING = range(3)
_WORD: Final = (1 << 64) - 1


def order(keys: Sequence[int]) -> list[int]:
    """The positions of `keys` in the order in which `sort.Sort` leaves the elements that have these keys."""
    sorting = _Sorting(keys)
    sorting.sort(0, len(keys), len(keys).bit_length())
    return sorting.items


class _Sorting:
    def __init__(self, keys: Sequence[int]) -> None:
        self.items = list(range(len(keys)))
        self.keys = list(keys)

    def less(self, i: int, j: int) -> bool:
        return self.keys[i] < self.keys[j]

    def swap(self, i: int, j: int) -> None:
        keys, items = self.keys, self.items
        keys[i], keys[j] = keys[j], keys[i]
        items[i], items[j] = items[j], items[i]

    def sort(self, a: int, b: int, limit: int) -> None:
        balanced = partitioned = True
        while True:
            length = b - a
            if length <= _INSERTION:
                self.insertion(a, b)
                return
            if limit == 0:
                self.heap(a, b)
                return
            if not balanced:
                self.break_patterns(a, b)
                limit -= 1
            pivot, hint = self.choose(a, b)
            if hint == _DECREASING:
                self.reverse(a, b)
                pivot = (b - 1) - (pivot - a)
                hint = _INCREASING
            if balanced and partitioned and hint == _INCREASING and self.partially_sorted(a, b):
                return
            # All elements that equal the one before this slice come first, and are done.
            if a > 0 and not self.less(a - 1, pivot):
                a = self.partition_equal(a, b, pivot)
                continue
            middle, partitioned = self.partition(a, b, pivot)
            left, right = middle - a, b - middle
            threshold = length // 8
            if left < right:
                balanced = left >= threshold
                self.sort(a, middle, limit)
                a = middle + 1
            else:
                balanced = right >= threshold
                self.sort(middle + 1, b, limit)
                b = middle

    def insertion(self, a: int, b: int) -> None:
        for i in range(a + 1, b):
            j = i
            while j > a and self.less(j, j - 1):
                self.swap(j, j - 1)
                j -= 1

    def sift(self, low: int, high: int, first: int) -> None:
        root = low
        while (child := 2 * root + 1) < high:
            if child + 1 < high and self.less(first + child, first + child + 1):
                child += 1
            if not self.less(first + root, first + child):
                return
            self.swap(first + root, first + child)
            root = child

    def heap(self, a: int, b: int) -> None:
        length = b - a
        for i in range((length - 1) // 2, -1, -1):
            self.sift(i, length, a)
        for i in range(length - 1, -1, -1):
            self.swap(a, a + i)
            self.sift(0, i, a)

    def partition(self, a: int, b: int, pivot: int) -> tuple[int, bool]:
        self.swap(a, pivot)
        i, j = a + 1, b - 1
        while i <= j and self.less(i, a):
            i += 1
        while i <= j and not self.less(j, a):
            j -= 1
        if i > j:
            self.swap(j, a)
            return j, True
        self.swap(i, j)
        i, j = i + 1, j - 1
        while True:
            while i <= j and self.less(i, a):
                i += 1
            while i <= j and not self.less(j, a):
                j -= 1
            if i > j:
                break
            self.swap(i, j)
            i, j = i + 1, j - 1
        self.swap(j, a)
        return j, False

    def partition_equal(self, a: int, b: int, pivot: int) -> int:
        self.swap(a, pivot)
        i, j = a + 1, b - 1
        while True:
            while i <= j and not self.less(a, i):
                i += 1
            while i <= j and self.less(a, j):
                j -= 1
            if i > j:
                return i
            self.swap(i, j)
            i, j = i + 1, j - 1

    def partially_sorted(self, a: int, b: int) -> bool:
        """Whether a few moves sort what is nearly sorted; Go tries at most five."""
        i = a + 1
        for _ in range(5):
            while i < b and not self.less(i, i - 1):
                i += 1
            if i == b:
                return True
            if b - a < 50:
                return False
            self.swap(i, i - 1)
            if i - a >= 2:
                for j in range(i - 1, 0, -1):
                    if not self.less(j, j - 1):
                        break
                    self.swap(j, j - 1)
            if b - i >= 2:
                for j in range(i + 1, b):
                    if not self.less(j, j - 1):
                        break
                    self.swap(j, j - 1)
        return False

    def break_patterns(self, a: int, b: int) -> None:
        length = b - a
        if length < 8:
            return
        random = length
        modulus = 1 << length.bit_length()
        at = a + (length // 4) * 2 - 1
        for i in range(3):
            random ^= (random << 13) & _WORD
            random ^= random >> 7
            random ^= (random << 17) & _WORD
            other = random & (modulus - 1)
            if other >= length:
                other -= length
            self.swap(at + i, a + other)

    def choose(self, a: int, b: int) -> tuple[int, int]:
        length, swaps = b - a, 0
        i, j, k = a + length // 4, a + length // 4 * 2, a + length // 4 * 3
        if length >= 8:
            if length >= _NINTHER:
                i, swaps = self.median(i - 1, i, i + 1, swaps)
                j, swaps = self.median(j - 1, j, j + 1, swaps)
                k, swaps = self.median(k - 1, k, k + 1, swaps)
            j, swaps = self.median(i, j, k, swaps)
        if swaps == 0:
            return j, _INCREASING
        return j, _DECREASING if swaps == _MAXIMUM_SWAPS else _UNKNOWN

    def median(self, a: int, b: int, c: int, swaps: int) -> tuple[int, int]:
        if self.less(b, a):
            a, b, swaps = b, a, swaps + 1
        if self.less(c, b):
            b, c, swaps = c, b, swaps + 1
        if self.less(b, a):
            a, b, swaps = b, a, swaps + 1
        return b, swaps

    def reverse(self, a: int, b: int) -> None:
        self.keys[a:b] = self.keys[a:b][::-1]
        self.items[a:b] = self.items[a:b][::-1]
