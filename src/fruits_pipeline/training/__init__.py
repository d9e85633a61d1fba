"""Build and train backbones; the only package that imports Keras and TensorFlow."""
