"""html: one page that needs nothing else, with timelines and stacks that follow one range.

page.py          puts the file together under a strict content security policy
data.py          what the page shows, as JSON
stack_grid.py    stack time in steps: any range of the page is a few additions away
chart_library.py the charting library, which is a package of its own
*.html *.css *.js the page itself
"""
