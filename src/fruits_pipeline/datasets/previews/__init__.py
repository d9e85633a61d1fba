"""Previews of datasets in Kedro-Viz: tables, pictures, figures and JSON.

Kedro-Viz calls `preview` of a dataset when somebody clicks it, and takes the kind of the
preview from the return annotation. A preview reads one small file, without Spark. It
never raises: Kedro-Viz would log the error and show nothing.
"""
