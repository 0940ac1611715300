"""The pages; each has a function ``show``. A folder called pages would be taken over by Streamlit."""
