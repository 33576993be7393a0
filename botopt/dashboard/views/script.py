"""What Streamlit runs for every visitor, again at every change that they make."""

from botopt.dashboard.views.app import show

show()
