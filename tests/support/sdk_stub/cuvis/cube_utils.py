"""Image data of a measurement."""


class ImageData:
    def __init__(self):
        self.array = None
        self.width = None
        self.height = None
        self.channels = None
        self.wavelength = None

    @classmethod
    def from_array(cls, array, wavelength=None):
        image = cls()
        image.array = array
        image.height, image.width, image.channels = array.shape
        image.wavelength = wavelength
        return image
