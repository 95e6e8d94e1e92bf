"""Curves: latencies over time in panels that share the axis, and a figure over a size. Both logarithmic upwards."""

from plots import WIDTH, LogScale, Picture, mark_text

PANEL_HEIGHT = 150
PANEL_GAP = 34
LEFT, RIGHT = 85, WIDTH - 20
LEGEND_STEP = 190
CLASSES = {"sillok acks=1": "a", "sillok acks=all": "c", "kafka acks=1": "b", "kafka acks=all": "e", "floor acks=1": "d",
           "sillok-1-reactor": "d"}


def classes_of(name):
    return CLASSES.get(name, "base")


def legend(picture, names, y):
    for index, name in enumerate(names):
        x = LEFT + index * LEGEND_STEP
        picture.line(x, y - 4, x + 22, y - 4, f"line {classes_of(name)}")
        picture.text(x + 28, y, name)


def curve(picture, points, name):
    """No dots: there are too many points."""
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    picture.shapes.append(f'<polyline points="{places}" class="thin {name}"/>')


def time_panels(title, note, panels, shades, path):
    """`panels`: [(what, {name: [(seconds, ms)]})]; `shades`: spans of seconds that are marked."""
    panels = [(what, curves) for what, curves in panels if any(curves.values())]
    if not panels:
        return
    names = sorted({name for _, curves in panels for name in curves})
    end = max(point[0] for _, curves in panels for points in curves.values() for point in points)
    end = max(end, max((span[1] for span in shades), default=0))
    height = 90 + len(panels) * (PANEL_HEIGHT + PANEL_GAP)
    picture = Picture(title, note, height)
    legend(picture, names, 66)
    across = lambda seconds: LEFT + (RIGHT - LEFT) * seconds / end
    for index, (what, curves) in enumerate(panels):
        top = 90 + index * (PANEL_HEIGHT + PANEL_GAP)
        bottom = top + PANEL_HEIGHT
        scale = LogScale([value for points in curves.values() for _, value in points], bottom, top)
        for begin, finish in shades:
            picture.box(across(begin), top, across(finish) - across(begin), PANEL_HEIGHT, "shade")
        for mark in scale.marks():
            picture.line(LEFT, scale(mark), RIGHT, scale(mark), "grid")
            picture.text(LEFT - 8, scale(mark) + 4, f"{mark_text(mark)} ms", "small", "end")
        picture.text(LEFT + 4, top - 6, what, "small")
        for name, points in curves.items():
            curve(picture, [(across(at), scale(value)) for at, value in points if value > 0], classes_of(name))
    for at in range(0, int(end) + 1, step_of(end)):
        picture.text(across(at), height - 14, f"{at} s", "small", "middle")
    picture.write(path)


def step_of(seconds):
    return next((step for step in (1, 2, 5, 10, 20, 60) if seconds / step <= 15), 300)


def size_panels(title, note, panels, path):
    """`panels`: [(what, unit, {name: [(size, value)]})], both axes logarithmic."""
    panels = [(what, unit, curves) for what, unit, curves in panels if any(curves.values())]
    if not panels:
        return
    names = sorted({name for _, _, curves in panels for name in curves})
    height = 80 + len(panels) * (PANEL_HEIGHT + 60)
    picture = Picture(title, note, height)
    legend(picture, names, 66)
    for index, (what, unit, curves) in enumerate(panels):
        top = 100 + index * (PANEL_HEIGHT + 60)
        bottom = top + PANEL_HEIGHT
        sizes = [size for points in curves.values() for size, _ in points]
        across = LogScale(sizes, LEFT + 20, RIGHT - 20)
        scale = LogScale([value for points in curves.values() for _, value in points], bottom, top)
        for mark in scale.marks():
            picture.line(LEFT, scale(mark), RIGHT, scale(mark), "grid")
            picture.text(LEFT - 8, scale(mark) + 4, f"{mark_text(mark)} {unit}", "small", "end")
        for size in sorted(set(sizes)):
            picture.text(across(size), bottom + 16, mark_text(size), "small", "middle")
        picture.text(LEFT + 4, top - 8, what, "small")
        for name, points in curves.items():
            picture.path([(across(size), scale(value)) for size, value in points], classes_of(name))
    picture.write(path)
