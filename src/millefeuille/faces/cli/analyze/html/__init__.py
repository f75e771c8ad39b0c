"""The report as one page: `page` puts it together from `page.html`, `page.css`, `page.js` and the data."""
