"""Documents for people (报表): each is worked out as figures first, and then written as XLSX or HTML."""
