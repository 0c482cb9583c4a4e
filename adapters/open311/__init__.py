"""Open311 GeoReport v2: a face that city apps speak to, and its documents."""
