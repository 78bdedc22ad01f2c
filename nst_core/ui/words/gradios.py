"""Lists what gradio 6.31 itself says on the page, in its English, which the catalogues of the page hold as well."""

WORDS = """
Drop Image Here
Drop File Here
Drop Video Here
Drop Media Here
Click to Upload
or
Paste from Clipboard
Uploading...
Loading
Error
Warning
Info
Success
Remove Image
Clear
Clear canvas
Download
Undo
Redo
Edit
Cancel
Share
Progress
Empty
Upload file
Upload an image
Webcam
Capture from camera
Click to Access Webcam
Paste from clipboard
Fullscreen
Exit fullscreen mode
View in full screen
Copy
Copied
Remove
Close
Dropdown
File
Image
Video
Brush
Brush Size
Brush color
Brush radius
Erase
Eraser Size
Color
Pan
Zoom in
Zoom out
Fit to screen
Layers
Layer
Show Layers
Add Layer
Save changes
Use brush
Select brush color
select the draw tool to start
Use via API
Use via API or MCP
API
Settings
Built with Gradio
logo
Language
In queue: {0} of {1}
Waiting for file(s) to finish uploading, please retry.
Please allow access to the webcam for recording.
File(s) exceed the maximum allowed size {0}
This application is currently busy. Please try again.
Connection to the server was lost. Attempting reconnection...
range slider for {0}
number input for {0}
Reset to default value
Options
Previous page
Next page
Video player
Play
Pause
play-pause-replay-button
full-screen
Open camera
capture photo
stop recording
select input source
upload file
Delete
Drop an image file here to upload
Number
Stop Recording
File upload
Click to upload or drop files
undo
redo
Upload
Remove {0}
Gradio footer navigation
Drop a video file here to upload
""".strip().splitlines()
