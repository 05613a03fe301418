"""ONNX models as teachers: read with suspicion, asked through onnxruntime, turned into chains."""
