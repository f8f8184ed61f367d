"""The dashboard: everything that knows Streamlit and Plotly. Pages are thin and stand in `pages/`."""
